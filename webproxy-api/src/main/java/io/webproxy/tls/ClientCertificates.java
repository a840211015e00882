package io.webproxy.tls;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Whether clients of HTTPS endpoints prove who they are by a certificate, who vouches for them, and how the upstream is
 * told. Immutable; passwords never show in {@code toString}.
 *
 * <p>The certificate is checked within the handshake: one that isn't trusted, is expired or isn't meant for clients
 * (RFC 5280 section 4.2.1.12) ends it by an alert, whether certificates are optional or required. The upstream gets the
 * certificate that was checked in a field in the form of RFC 9440. What a client sends of that field, of
 * {@code Client-Cert} and of {@code Client-Cert-Chain} is dropped, over every endpoint and also when no certificates
 * are asked for; only then a trusted proxy's own pass.
 *
 * <p>Files are read when the server starts and at every update. A change holds from the next handshake on, in which no
 * session is resumed that was made before it; connections that are open keep what was checked when they were opened.
 */
public final class ClientCertificates {
    /** Whether clients are asked for a certificate. */
    public enum Mode {
        /** They aren't. */
        OFF,
        /** They are; who has none passes without. */
        OPTIONAL,
        /** They are; who has none is refused. */
        REQUIRED
    }

    private static final String STANDARD = "Client-Cert";
    private static final Pattern NAME = Pattern.compile("[A-Za-z][A-Za-z0-9-]{0,63}");
    private static final Pattern TAKEN = Pattern.compile("(x-forwarded-(?!client-)|(proxy|content|accept|if|sec)-).*");
    private static final Set<String> TAKEN_NAMES = Set.of(
            "authorization",
            "client-cert-chain",
            "connection",
            "cookie",
            "date",
            "expect",
            "forwarded",
            "host",
            "http2-settings",
            "keep-alive",
            "max-forwards",
            "origin",
            "range",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade",
            "via",
            "x-real-ip");

    private static final ClientCertificates OFF = new ClientCertificates(Mode.OFF, null, null, STANDARD, false);

    private final Mode mode;
    private final @Nullable Path trust;
    private final @Nullable String trustPassword;
    private final String header;
    private final boolean chain;

    private ClientCertificates(
            Mode mode, @Nullable Path trust, @Nullable String trustPassword, String header, boolean chain) {
        this.mode = mode;
        this.trust = trust;
        this.trustPassword = trustPassword;
        this.header = header;
        this.chain = chain;
    }

    /** Clients aren't asked. */
    public static ClientCertificates off() {
        return OFF;
    }

    /** Clients may have a certificate that one of a PEM file vouches for. */
    public static ClientCertificates optional(Path pemTrust) {
        return new ClientCertificates(
                Mode.OPTIONAL, Objects.requireNonNull(pemTrust, "pemTrust"), null, STANDARD, false);
    }

    /**
     * Clients may have a certificate that one of a PKCS#12 trust store vouches for.
     *
     * @param password empty for none
     */
    public static ClientCertificates optional(Path pkcs12Trust, String password) {
        return new ClientCertificates(
                Mode.OPTIONAL,
                Objects.requireNonNull(pkcs12Trust, "pkcs12Trust"),
                Objects.requireNonNull(password, "password"),
                STANDARD,
                false);
    }

    /** Clients must have a certificate that one of a PEM file vouches for. */
    public static ClientCertificates required(Path pemTrust) {
        return new ClientCertificates(
                Mode.REQUIRED, Objects.requireNonNull(pemTrust, "pemTrust"), null, STANDARD, false);
    }

    /**
     * Clients must have a certificate that one of a PKCS#12 trust store vouches for.
     *
     * @param password empty for none
     */
    public static ClientCertificates required(Path pkcs12Trust, String password) {
        return new ClientCertificates(
                Mode.REQUIRED,
                Objects.requireNonNull(pkcs12Trust, "pkcs12Trust"),
                Objects.requireNonNull(password, "password"),
                STANDARD,
                false);
    }

    /**
     * The same with another field for the certificate, in place of {@code Client-Cert}.
     *
     * @throws IllegalArgumentException if the name can't be a field's, has an underscore, which many servers read as a
     *     hyphen, or has a meaning of its own
     */
    public ClientCertificates withHeader(String name) {
        String lower = Objects.requireNonNull(name, "name").toLowerCase(Locale.ROOT);
        if (!NAME.matcher(name).matches() || TAKEN.matcher(lower).matches() || TAKEN_NAMES.contains(lower)) {
            throw new IllegalArgumentException(
                    "clientCertificates.header: " + name
                            + " (expected: letters, digits and hyphens, and no name with a meaning of its own; such as Client-Cert)");
        }
        return new ClientCertificates(mode, trust, trustPassword, name, chain);
    }

    /**
     * The same, and the certificates that the client sent behind its own go to the upstream as
     * {@code Client-Cert-Chain}.
     */
    public ClientCertificates withChain() {
        return new ClientCertificates(mode, trust, trustPassword, header, true);
    }

    /** Whether clients are asked. */
    public Mode mode() {
        return mode;
    }

    /** The file of those who vouch for clients; empty when they aren't asked. */
    public Optional<Path> trust() {
        return Optional.ofNullable(trust);
    }

    /** The password of a PKCS#12 file; absent where the file is PEM. */
    public Optional<String> trustPassword() {
        return Optional.ofNullable(trustPassword);
    }

    /** The name of the field that has the client's certificate. */
    public String header() {
        return header;
    }

    /** Whether the upstream gets the rest of the client's chain too. */
    public boolean sendsChain() {
        return chain;
    }

    @Override
    public String toString() {
        return mode.name().toLowerCase(Locale.ROOT) + (trust == null ? "" : "(" + trust + ")") + " as " + header;
    }
}
