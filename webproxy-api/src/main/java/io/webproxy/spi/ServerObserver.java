package io.webproxy.spi;

import io.webproxy.observe.ProxyObserver;

/** An observer that also reads the status of the server that it is given to. */
public interface ServerObserver extends ProxyObserver {
    /**
     * The server has started with this observer, or was updated to have it. Called by the thread that did so, at each
     * start and update. An observer that an update takes out isn't told; once the server is closed, its status is
     * {@link StatusData#CLOSED}.
     */
    void serves(ProxyEngine.Running server);

    /** The routes in force; called before {@link #serves}. */
    default void servesRoutes(ServedRoutes routes) {}
}
