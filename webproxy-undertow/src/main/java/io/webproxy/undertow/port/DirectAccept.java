package io.webproxy.undertow.port;

import java.lang.reflect.Field;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.ChannelListener;
import org.xnio.StreamConnection;
import org.xnio.channels.AcceptingChannel;

/**
 * The listening socket behind XNIO's queues of accepted connections.
 *
 * <p>XNIO accepts without asking, and rests for up to half a minute when there is no descriptor for it, which it tells nobody. So connections are accepted straight
 * from the socket, on the same thread, by who looks first. It is no part of XNIO's API: where it can't be reached, the queues are used.
 */
final class DirectAccept {
    private static final Logger LOG = LoggerFactory.getLogger(DirectAccept.class);

    private DirectAccept() {}

    /** The socket of a server whose connections haven't been accepted yet, with the same listener; the server itself if it can't be reached. */
    @SuppressWarnings("unchecked")
    static AcceptingChannel<StreamConnection> of(
            AcceptingChannel<StreamConnection> server,
            ChannelListener<? super AcceptingChannel<StreamConnection>> listener) {
        try {
            Field field = server.getClass().getDeclaredField("realServer");
            field.setAccessible(true);
            if (field.get(server) instanceof AcceptingChannel<?> socket) {
                AcceptingChannel<StreamConnection> direct = (AcceptingChannel<StreamConnection>) socket;
                ((ChannelListener.Setter<AcceptingChannel<StreamConnection>>) direct.getAcceptSetter()).set(listener);
                return direct;
            }
        } catch (ReflectiveOperationException | RuntimeException e) {
            LOG.debug("The listening socket can't be reached: {}", e.toString());
        }
        return server;
    }
}
