package io.webproxy.tls;

import io.webproxy.spi.IdentityField;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Client certificates at HTTPS endpoints: whether they are requested, what they are verified against, and how they are
 * passed to the upstream. Immutable; passwords never show in {@code toString}.
 *
 * <p>The certificate is checked within the handshake: one that isn't trusted, is expired or isn't meant for clients
 * (RFC 5280 section 4.2.1.12) ends it by an alert, whether certificates are optional or required. The upstream gets the
 * checked certificate in a header field in the form of RFC 9440. That field, {@code Client-Cert} and
 * {@code Client-Cert-Chain} are dropped from clients' requests at every endpoint, also if no certificates are
 * requested; only then those of a trusted proxy pass.
 *
 * <p>Files are read when the server starts and at every update. A change applies from the next handshake on, and
 * sessions from before aren't resumed; open connections keep the certificate that was checked when they were opened.
 */
public final class ClientCertificates {
    private static final String STANDARD = "Client-Cert";
    private static final ClientCertificates OFF = new ClientCertificates(null, false, STANDARD, false);

    private final @Nullable TrustStore trust;
    private final boolean required;
    private final String header;
    private final boolean chain;

    private ClientCertificates(@Nullable TrustStore trust, boolean required, String header, boolean chain) {
        this.trust = trust;
        this.required = required;
        this.header = header;
        this.chain = chain;
    }

    /** Clients aren't asked for a certificate. */
    public static ClientCertificates off() {
        return OFF;
    }

    /** A certificate is requested and verified against the trust store; a client without one passes. */
    public static ClientCertificates optional(TrustStore trust) {
        return new ClientCertificates(Objects.requireNonNull(trust, "trust"), false, STANDARD, false);
    }

    /** A certificate is required and verified against the trust store. */
    public static ClientCertificates required(TrustStore trust) {
        return new ClientCertificates(Objects.requireNonNull(trust, "trust"), true, STANDARD, false);
    }

    /**
     * The same with another field for the certificate, instead of {@code Client-Cert}.
     *
     * @throws IllegalArgumentException if the name can't be a field's, has an underscore, which many servers read as a
     *     hyphen, or has a meaning of its own
     */
    public ClientCertificates withHeader(String name) {
        if (!IdentityField.canHaveCertificates(Objects.requireNonNull(name, "name"))) {
            throw new IllegalArgumentException(
                    "clientCertificates.header: " + name
                            + " (expected: letters, digits and hyphens, and no name with a meaning of its own; such as Client-Cert)");
        }
        return new ClientCertificates(trust, required, name, chain);
    }

    /** The same, with the client's other certificates forwarded to the upstream in {@code Client-Cert-Chain}. */
    public ClientCertificates withChain() {
        return new ClientCertificates(trust, required, header, true);
    }

    /** Whether clients aren't asked for a certificate. */
    public boolean isOff() {
        return trust == null;
    }

    /** Whether a client without a certificate is refused. */
    public boolean isRequired() {
        return required;
    }

    /** What client certificates are verified against; empty when none are requested. */
    public Optional<TrustStore> trust() {
        return Optional.ofNullable(trust);
    }

    /** The name of the field with the client's certificate. */
    public String header() {
        return header;
    }

    /** Whether the upstream gets the rest of the client's chain too. */
    public boolean sendsChain() {
        return chain;
    }

    @Override
    public String toString() {
        return (trust == null ? "off" : (required ? "required(" : "optional(") + trust + ")") + " as " + header;
    }
}
