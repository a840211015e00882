package io.webproxy.samples.cli;

import io.webproxy.ProxyConfig;
import io.webproxy.auth.BasicAuth;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options for user and password. */
final class CredentialOptions {
    @Option(names = "--user", paramLabel = "USER", description = "The user that may pass; needs --password.")
    private @Nullable String user;

    @Option(
            names = "--password",
            paramLabel = "PASSWORD",
            description = "The user's password; other users of this machine can see it in the list of processes,"
                    + " so --htpasswd is better.")
    private @Nullable String password;

    @Option(
            names = "--htpasswd",
            paramLabel = "FILE",
            description = "A file of users and bcrypt hashes, as made by htpasswd -B; in place of --user.")
    private @Nullable Path htpasswd;

    /** Whether clients must have some. */
    boolean isGiven() {
        return user != null || password != null || htpasswd != null;
    }

    void applyTo(ProxyConfig.Builder builder) {
        if (htpasswd != null) {
            if (user != null || password != null) {
                throw new IllegalArgumentException(
                        "--htpasswd: given with --user or --password (expected: only one of them)");
            }
            builder.authenticator(BasicAuth.htpasswd(htpasswd));
            return;
        }
        String name = user;
        String secret = password;
        if (name == null && secret == null) {
            return;
        }
        // empty values, as from an unset variable in a script, must not turn authentication off
        if (name == null || secret == null || name.isEmpty() || secret.isEmpty()) {
            String missing = name == null || name.isEmpty() ? "--user" : "--password";
            throw new IllegalArgumentException(
                    missing + ": missing or empty (expected: both --user and --password, or neither)");
        }
        Complaint.of("--user", () -> builder.basicAuth(name, secret));
    }
}
