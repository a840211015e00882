package io.webproxy.auth;

import io.webproxy.http.RequestHead;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * HTTP Basic authentication (RFC 7617): one user and password, or those of an htpasswd file.
 *
 * <p>Failures are throttled by client address (IPv6: by /64): ten at once, then one each second. Above that the answer
 * is 429 with {@code Retry-After}, before anything is compared, unless the same credentials have passed from the same
 * address before. When too many passwords wait to be hashed the answer is 503 with {@code Retry-After}.
 *
 * <p>Immutable, thread-safe. One instance may serve several servers: they share what has been verified and the
 * throttle.
 */
public final class BasicAuth implements Authenticator {
    private static final String DEFAULT_REALM = "Restricted";
    /** Nothing that is missing turns protection off. */
    private static final String BOTH =
            " (expected: a user and a password; withoutAuthentication() turns authentication off)";

    private final CredentialCheck check;
    private final String realm;
    private final boolean forwarding;
    private final AuthDecision challenge;

    private BasicAuth(CredentialCheck check, String realm, boolean forwarding) {
        this.check = check;
        this.realm = realm;
        this.forwarding = forwarding;
        String quoted = realm.replace("\\", "\\\\").replace("\"", "\\\"");
        this.challenge = AuthDecision.denied(401)
                .withHeader("WWW-Authenticate", "Basic realm=\"" + quoted + "\", charset=\"UTF-8\"");
    }

    /**
     * One user with one password. Neither is kept: what comes is compared by a keyed hash, in constant time.
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
        return new BasicAuth(PairCheck.of(user, password), DEFAULT_REALM, false);
    }

    /**
     * The users of a file as {@code htpasswd -B} makes it: {@code user:hash} lines with bcrypt hashes of cost 4 to 17,
     * blank lines and {@code #} comments. The file is read when the server starts, and again within about a second
     * after it changes; a file that can't be used then, has no user or ends without a line end leaves the users as they
     * were, with one WARN. Passwords above 72 bytes are refused, because bcrypt ignores the rest.
     *
     * <p>Hashing runs on the {@linkplain AuthContext#executor() executor}. Verified credentials are remembered for 5
     * minutes, 1,024 at most, until the file changes.
     */
    public static BasicAuth htpasswd(Path file) {
        return new BasicAuth(new FileCheck(Objects.requireNonNull(file, "file")), DEFAULT_REALM, false);
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
        return new BasicAuth(check.fresh(), name, forwarding);
    }

    /** The same, but {@code Authorization} goes on to the upstream; by default it doesn't. */
    public BasicAuth forwardingCredentials() {
        return new BasicAuth(check.fresh(), realm, true);
    }

    @Override
    public void start(AuthContext context) {
        check.start(Objects.requireNonNull(context, "context"));
    }

    @Override
    public void stop() {
        check.stop();
    }

    @Override
    public CompletionStage<AuthDecision> authenticate(RequestHead request) {
        Credentials credentials = Credentials.parse(request.headers("Authorization"));
        if (credentials == null) {
            return CompletableFuture.completedFuture(challenge);
        }
        try {
            return check.check(credentials, request.clientAddress(), challenge);
        } finally {
            credentials.wipe();
        }
    }

    @Override
    public boolean forwardsCredentials() {
        return forwarding;
    }

    /** Shows neither user nor password. */
    @Override
    public String toString() {
        return "BasicAuth(" + check + ", realm=" + realm + ")";
    }
}
