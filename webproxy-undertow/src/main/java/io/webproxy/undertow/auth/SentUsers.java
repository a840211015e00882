package io.webproxy.undertow.auth;

import io.webproxy.ProxyConfig;
import io.webproxy.auth.Authenticator;
import io.webproxy.auth.BasicAuth;
import io.webproxy.route.Route;
import io.webproxy.spi.AcceptedPasswords;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The htpasswd files whose users a server sends to upstreams: their users must be sendable. Immutable.
 *
 * @param senders for each file, a route that sends its users and the field, such as {@code route all sends them in
 *     X-Who}
 */
public record SentUsers(Map<Path, String> senders) {
    /** Of a server that sends none. */
    public static final SentUsers NONE = new SentUsers(Map.of());

    /** Those of a configuration. */
    public static SentUsers of(ProxyConfig config) {
        Map<Path, String> senders = new HashMap<>();
        for (Route route : config.routes()) {
            Authenticator authenticator = (route.access().ownAuthenticator()
                            ? route.access().authenticator()
                            : config.authenticator())
                    .orElse(null);
            if (route.userField().isPresent()
                    && authenticator instanceof BasicAuth basic
                    && basic.accepted() instanceof AcceptedPasswords.Htpasswd htpasswd) {
                senders.putIfAbsent(
                        htpasswd.file(),
                        "route " + route.name() + " sends them in "
                                + route.userField().get());
            }
        }
        return new SentUsers(Map.copyOf(senders));
    }

    /** These and others. */
    public SentUsers and(SentUsers others) {
        Map<Path, String> all = new HashMap<>(others.senders);
        all.putAll(senders);
        return new SentUsers(Map.copyOf(all));
    }

    /** Who sends the users of a file; null if none does. */
    @Nullable String senderOf(Path file) {
        return senders.get(file);
    }

    /**
     * Checks the files that aren't among these others. Reads them.
     *
     * @throws IllegalArgumentException with one sentence that names the file, the user and the route
     */
    public void checkAllBut(SentUsers others) {
        senders.forEach((file, sender) -> {
            if (others.senderOf(file) == null) {
                PasswordFile.read(file).checkSendable(sender);
            }
        });
    }
}
