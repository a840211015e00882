package io.webproxy.undertow.server;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyStartException;
import io.webproxy.auth.AuthContext;
import io.webproxy.auth.Authenticator;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The authenticators of a server and of its routes: each is started once, before its first request, and stopped when the configuration in force doesn't name it any
 * more. One that several routes name is one. Changes come one at a time; the end may come any time.
 */
final class Authenticators {
    private static final Logger LOG = LoggerFactory.getLogger(Authenticators.class);

    private final AuthContext context;
    private volatile Set<Authenticator> running = identitySet();
    private boolean closed;

    Authenticators(AuthContext context) {
        this.context = context;
    }

    /**
     * Starts those that aren't running yet: all, or none.
     *
     * @throws ProxyStartException if one can't work
     */
    Change change(ProxyConfig config) {
        Change change = new Change(namedIn(config));
        try {
            for (Authenticator authenticator : change.wanted) {
                if (!running.contains(authenticator)) {
                    authenticator.start(context);
                    change.started.add(authenticator);
                }
            }
        } catch (IllegalArgumentException e) {
            change.undo();
            throw new ProxyStartException(String.valueOf(e.getMessage()), e);
        } catch (RuntimeException | Error e) {
            change.undo();
            throw e;
        }
        return change;
    }

    private static Set<Authenticator> namedIn(ProxyConfig config) {
        Set<Authenticator> named = identitySet();
        config.authenticator().ifPresent(named::add);
        config.routes().forEach(route -> route.access().authenticator().ifPresent(named::add));
        return named;
    }

    private static Set<Authenticator> identitySet() {
        return Collections.newSetFromMap(new IdentityHashMap<>());
    }

    private static void stop(Authenticator authenticator) {
        try {
            authenticator.stop();
        } catch (Throwable e) {
            LOG.warn("An authenticator failed to stop, which changes nothing for the server", e);
        }
    }

    /** Stops all, for good. */
    void close() {
        Set<Authenticator> last;
        synchronized (this) {
            closed = true;
            last = running;
            running = identitySet();
        }
        last.forEach(Authenticators::stop);
    }

    /** What ran before; null if everything has been stopped for good meanwhile. */
    private synchronized @Nullable Set<Authenticator> replaced(Set<Authenticator> next) {
        if (closed) {
            return null;
        }
        Set<Authenticator> before = running;
        running = next;
        return before;
    }

    /** New ones are started; those that aren't wanted any more run on until it is kept. */
    final class Change {
        private final Set<Authenticator> wanted;
        private final Set<Authenticator> started = identitySet();

        private Change(Set<Authenticator> wanted) {
            this.wanted = wanted;
        }

        void keep() {
            Set<Authenticator> before = replaced(wanted);
            if (before == null) {
                undo();
                return;
            }
            for (Authenticator authenticator : before) {
                if (!wanted.contains(authenticator)) {
                    stop(authenticator);
                }
            }
        }

        void undo() {
            started.forEach(Authenticators::stop);
        }
    }
}
