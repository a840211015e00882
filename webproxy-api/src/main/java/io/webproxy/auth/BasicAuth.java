package io.webproxy.auth;

import io.webproxy.http.RequestHead;
import io.webproxy.spi.AcceptedPasswords;
import io.webproxy.spi.Engines;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import org.jspecify.annotations.Nullable;

/**
 * HTTP Basic authentication (RFC 7617): one user and password, or those of an htpasswd file.
 *
 * <p>Failures are throttled by client address (IPv6: by /64): ten at once, then one per second. Above that the answer
 * is 429 with {@code Retry-After}, without checking the credentials, unless the same ones have passed from the same
 * address before. If too many passwords wait to be hashed, the answer is 503 with {@code Retry-After}.
 *
 * <p>Immutable, thread-safe. Servers may share an instance: they then share its verified credentials and its throttle.
 */
@SuppressWarnings("exports") // what only the engine reads has types of io.webproxy.spi
public final class BasicAuth implements Authenticator {
    private static final String DEFAULT_REALM = "Restricted";
    /** A missing value never turns protection off. */
    private static final String BOTH =
            " (expected: a user and a password; withoutAuthentication() turns authentication off)";

    private final AcceptedPasswords accepted;
    private final String realm;
    private final boolean forwarding;
    /** The engine's implementation, made when the first server starts. */
    private volatile @Nullable Authenticator check;

    private BasicAuth(AcceptedPasswords accepted, String realm, boolean forwarding) {
        this.accepted = accepted;
        this.realm = realm;
        this.forwarding = forwarding;
    }

    /**
     * One user with one password. Neither is kept: credentials are compared by a keyed hash, in constant time.
     *
     * @param user without a colon
     * @throws IllegalArgumentException if one is empty or has control characters, or the user has a colon
     */
    public static BasicAuth of(String user, String password) {
        Objects.requireNonNull(user, "user: null" + BOTH);
        Objects.requireNonNull(password, "password: null" + BOTH);
        if (user.isEmpty() || password.isEmpty()) {
            throw new IllegalArgumentException((user.isEmpty() ? "user" : "password") + ": ''" + BOTH);
        }
        if (user.indexOf(':') >= 0 || user.chars().anyMatch(Character::isISOControl)) {
            throw new IllegalArgumentException("user: " + user.replaceAll("\\p{Cntrl}", "?")
                    + " (expected: at least one character, no colon, no control characters)");
        }
        if (password.chars().anyMatch(Character::isISOControl)) {
            throw new IllegalArgumentException(
                    "password: *** (expected: at least one character, no control characters)");
        }
        return new BasicAuth(AcceptedPasswords.Pair.of(user, password), DEFAULT_REALM, false);
    }

    /**
     * The users of a file made by {@code htpasswd -B}: {@code user:hash} lines with bcrypt hashes of cost 4 to 17,
     * blank lines and {@code #} comments. The file is read when the server starts, and again within about a second
     * after a change; if the changed file is invalid, has no user, ends without a line end, or has a user whose name a
     * route's {@code sendUser} can't send, the users stay, with one WARN. Passwords above 72 bytes are refused, because
     * bcrypt ignores the rest.
     *
     * <p>Hashing runs on the executor of {@link #start}. Verified credentials are cached for 5 minutes, 1,024 at most,
     * until the file changes.
     */
    public static BasicAuth htpasswd(Path file) {
        return new BasicAuth(new AcceptedPasswords.Htpasswd(file), DEFAULT_REALM, false);
    }

    /**
     * The same with another realm, which browsers show; default {@code Restricted}.
     *
     * @throws IllegalArgumentException if it is empty or has other than printable ASCII characters
     */
    public BasicAuth realm(String name) {
        if (Objects.requireNonNull(name, "realm").isEmpty() || name.chars().anyMatch(c -> c < ' ' || c > '~')) {
            throw new IllegalArgumentException(
                    "realm: " + name.replaceAll("[^ -~]", "?") + " (expected: printable ASCII characters)");
        }
        return new BasicAuth(accepted, name, forwarding);
    }

    /** A copy that forwards {@code Authorization} to the upstream; by default it isn't forwarded. */
    public BasicAuth forwardingCredentials() {
        return new BasicAuth(accepted, realm, true);
    }

    /** The users and passwords; neither shows. */
    public AcceptedPasswords accepted() {
        return accepted;
    }

    @Override
    public void start(ScheduledExecutorService executor) {
        Objects.requireNonNull(executor, "executor");
        check().start(executor);
    }

    private synchronized Authenticator check() {
        Authenticator now = check;
        if (now == null) {
            String quoted = realm.replace("\\", "\\\\").replace("\"", "\\\"");
            AuthDecision challenge = AuthDecision.denied(401)
                    .withHeader("WWW-Authenticate", "Basic realm=\"" + quoted + "\", charset=\"UTF-8\"");
            now = Engines.find().basicAuth(accepted, challenge);
            check = now;
        }
        return now;
    }

    @Override
    public void stop() {
        Authenticator now = check;
        if (now != null) {
            now.stop();
        }
    }

    @Override
    public CompletionStage<AuthDecision> authenticate(RequestHead request) {
        Authenticator now = check;
        if (now == null) {
            throw new IllegalStateException("the authenticator hasn't started");
        }
        return now.authenticate(request);
    }

    @Override
    public boolean forwardsCredentials() {
        return forwarding;
    }

    /** Shows neither user nor password. */
    @Override
    public String toString() {
        return "BasicAuth(" + accepted + ", realm=" + realm + ")";
    }
}
