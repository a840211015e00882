package io.webproxy.undertow.auth;

import io.webproxy.ProxyConfig;
import io.webproxy.auth.Authenticator;
import io.webproxy.auth.BasicAuth;
import io.webproxy.route.Route;
import io.webproxy.spi.AcceptedPasswords;

/** Checks that the users of htpasswd files can be sent to upstreams by the routes that do. Reads the files. */
public final class SentUsers {
    private SentUsers() {}

    /**
     * Checks a configuration whose authenticators have started.
     *
     * @throws IllegalArgumentException with one sentence that names the file and the route
     */
    public static void check(ProxyConfig config) {
        for (Route route : config.routes()) {
            Authenticator authenticator = (route.access().ownAuthenticator()
                            ? route.access().authenticator()
                            : config.authenticator())
                    .orElse(null);
            if (route.userField().isPresent()
                    && authenticator instanceof BasicAuth basic
                    && basic.accepted() instanceof AcceptedPasswords.Htpasswd htpasswd) {
                String user = PasswordFile.read(htpasswd.file()).unsendable();
                if (user != null) {
                    throw new IllegalArgumentException("htpasswd: " + htpasswd.file() + ", user "
                            + user.replaceAll("[^!-~]", "?")
                            + " (expected: users of visible ASCII characters, for route "
                            + route.name() + " sends them in "
                            + route.userField().get() + ")");
                }
            }
        }
    }
}
