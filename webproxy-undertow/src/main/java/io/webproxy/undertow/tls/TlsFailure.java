package io.webproxy.undertow.tls;

import io.undertow.protocols.ssl.UndertowXnioSsl;
import io.webproxy.undertow.tls.engine.ForwardingSslEngine;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.xnio.ssl.SslConnection;

/** Explains why TLS to another server failed, with the remedy. Pure. */
public final class TlsFailure {
    /** The form of an alert in messages of Conscrypt and the JDK. */
    private static final Pattern ALERT =
            Pattern.compile("(?:openssl_internal:(?:sslv3|tlsv1|tlsv13)_alert_|received fatal alert: )([a-z0-9_]+)");

    /** The form of other failures in Conscrypt's messages, in the second line. */
    private static final Pattern REASON = Pattern.compile("OPENSSL_internal:([A-Z0-9_]+)");

    private TlsFailure() {}

    /**
     * What ended this client connection, or null if its engine hasn't failed: Undertow discards exceptions in its own
     * listeners. Thread-safe.
     */
    public static @Nullable Exception of(SslConnection connection) {
        return UndertowXnioSsl.getSslEngine(connection) instanceof ForwardingSslEngine engine ? engine.failure() : null;
    }

    /** Explains a failure or alert of an upstream's TLS. */
    public static String text(Exception failure) {
        String message = String.valueOf(failure.getMessage());
        String words = message.toLowerCase(Locale.ROOT);
        if (words.contains("unable to find valid certification path") || words.contains("trust anchor")) {
            return "its certificate isn't trusted (expected: one that Upstream.withTrust(…) or the JVM's trust store,"
                    + " -Djavax.net.ssl.trustStore, vouches for)";
        }
        if (words.contains("trustanchors parameter must be non-empty")) {
            return "the JVM's trust store has no certificates that can be read (expected:"
                    + " -Djavax.net.ssl.trustStorePassword beside -Djavax.net.ssl.trustStore)";
        }
        if (words.contains("no subject alternative") || words.contains("no name matching")) {
            return "its certificate isn't for this host: " + reason(message);
        }
        if (words.contains("unable to parse tls packet header")
                || words.contains("unrecognized ssl message")
                || words.contains("wrong_version_number")) {
            return "it doesn't speak TLS (expected: http:// or h2c:// for an upstream in cleartext)";
        }
        Matcher alert = ALERT.matcher(words);
        if (!alert.find()) {
            return reason(message);
        }
        return "the upstream sends the alert " + alert.group(1)
                + (alert.group(1).contains("certificate")
                        ? " (expected: a certificate that it trusts, by Upstream.withIdentity(…))"
                        : "");
    }

    private static String reason(String message) {
        Matcher found = REASON.matcher(message);
        return found.find()
                ? found.group(1).toLowerCase(Locale.ROOT).replace('_', ' ')
                : message.lines().findFirst().orElse("");
    }
}
