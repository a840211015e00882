package io.webproxy.undertow.server;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyStartException;
import io.webproxy.auth.Authenticator;
import io.webproxy.undertow.auth.AuthRuntime;
import io.webproxy.undertow.auth.SentUsers;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The authenticators of a server and of its routes. Each is started once, before its first request, even if several
 * routes name it, and stopped when the configuration in force no longer names it.
 */
final class Authenticators implements Part, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Authenticators.class);

    private final AuthRuntime runtime;
    private volatile Set<Authenticator> running = identitySet();
    /** What the last committed change has replaced; used by one change at a time. */
    private Set<Authenticator> replaced = identitySet();

    Authenticators(AuthRuntime runtime) {
        this.runtime = runtime;
    }

    /** Starts those that aren't running yet: all or none. */
    @Override
    public Change prepare(ProxyConfig next) {
        SentUsers sent = SentUsers.of(next);
        Started change = new Started(namedIn(next), sent);
        try {
            // from now on no change of a file brings a user who can't be sent, before or after the commit
            runtime.send(sent.and(change.sentBefore));
            sent.checkAllBut(change.sentBefore);
            for (Authenticator authenticator : change.wanted) {
                if (!running.contains(authenticator)) {
                    authenticator.start(runtime.executor());
                    change.started.add(authenticator);
                }
            }
        } catch (Throwable e) {
            change.rollBack();
            if (e instanceof IllegalArgumentException) {
                throw new ProxyStartException(String.valueOf(e.getMessage()), e);
            }
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

    /** Stops all; no commit may follow. */
    @Override
    public void close() {
        running.forEach(Authenticators::stop);
    }

    /** Stops what was replaced: that runs the application's code, which nothing else should wait for. */
    Part ends() {
        return next -> new Change() {
            @Override
            public void commit() {
                // the parts committed before decide that
            }

            @Override
            public void finish() {
                Set<Authenticator> ended = replaced;
                replaced = identitySet();
                ended.forEach(Authenticators::stop);
            }
        };
    }

    /** New ones are running; those that aren't needed any more run until the {@linkplain #ends end} of the change. */
    private final class Started implements Change {
        private final Set<Authenticator> wanted;
        private final Set<Authenticator> started = identitySet();
        private final SentUsers sent;
        private final SentUsers sentBefore = runtime.sent();

        Started(Set<Authenticator> wanted, SentUsers sent) {
            this.wanted = wanted;
            this.sent = sent;
        }

        @Override
        public void commit() {
            Set<Authenticator> gone = identitySet();
            gone.addAll(running);
            gone.removeAll(wanted);
            replaced = gone;
            running = wanted;
            runtime.send(sent);
        }

        @Override
        public void rollBack() {
            runtime.send(sentBefore);
            started.forEach(Authenticators::stop);
        }
    }
}
