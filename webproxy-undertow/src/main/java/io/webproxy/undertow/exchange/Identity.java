package io.webproxy.undertow.exchange;

import io.undertow.util.HeaderMap;
import io.undertow.util.HttpString;
import io.webproxy.tls.ClientCertificates;
import io.webproxy.undertow.message.FieldNames;
import java.security.cert.Certificate;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/**
 * The client certificate of a connection, and the fields of RFC 9440 that tell the upstream about it; clients can't set
 * them themselves. Immutable.
 */
public final class Identity {
    private static final HttpString CERTIFICATE = new HttpString("Client-Cert");
    private static final HttpString CHAIN = new HttpString("Client-Cert-Chain");

    private static final Certificate[] NONE = {};

    private final ClientCertificates asked;
    private final List<HttpString> reserved;
    private final Map<HttpString, String> fields;
    private final @Nullable X509Certificate certificate;
    private final boolean expired;

    private Identity(
            ClientCertificates asked,
            List<HttpString> reserved,
            Map<HttpString, String> fields,
            @Nullable X509Certificate certificate,
            boolean expired) {
        this.certificate = certificate;
        this.asked = asked;
        this.reserved = reserved;
        this.fields = fields;
        this.expired = expired;
    }

    /**
     * The identity on a connection after its handshake.
     *
     * @param asked which certificates clients are asked for
     * @param trusted whether the peer is a trusted proxy; its fields are believed as long as this server asks for no
     *     certificates
     * @param session the session whose handshake checked the certificate; null for a cleartext connection
     */
    public static Identity of(ClientCertificates asked, boolean trusted, @Nullable SSLSession session, Instant now) {
        HttpString own = new HttpString(asked.header());
        List<HttpString> reserved = asked.isOff() && trusted ? List.of() : List.of(own, CERTIFICATE, CHAIN);
        Certificate[] shown = asked.isOff() || session == null ? NONE : certificates(session);
        Map<HttpString, String> fields = new LinkedHashMap<>();
        if (shown.length > 0) {
            fields.put(own, encoded(shown[0]));
        }
        if (shown.length > 1 && asked.sendsChain()) {
            fields.put(
                    CHAIN, Arrays.stream(shown).skip(1).map(Identity::encoded).collect(Collectors.joining(", ")));
        }
        X509Certificate leaf = shown.length > 0 && shown[0] instanceof X509Certificate first ? first : null;
        boolean expired = leaf != null && now.isAfter(leaf.getNotAfter().toInstant());
        return new Identity(asked, reserved, Collections.unmodifiableMap(fields), leaf, expired);
    }

    private static Certificate[] certificates(SSLSession session) {
        try {
            return session.getPeerCertificates();
        } catch (SSLPeerUnverifiedException e) {
            return NONE;
        }
    }

    /** As a byte sequence (RFC 9440 section 2.1). */
    private static String encoded(Certificate certificate) {
        try {
            return ":" + Base64.getEncoder().encodeToString(certificate.getEncoded()) + ":";
        } catch (CertificateEncodingException e) {
            throw new IllegalArgumentException(e);
        }
    }

    /** The client's own certificate, or null. */
    @Nullable X509Certificate certificate() {
        return certificate;
    }

    /**
     * Whether the certificate had expired when the connection was opened: resuming a session doesn't check it again.
     */
    public boolean isExpired() {
        return expired;
    }

    /** Whether it was made for this configuration. */
    public boolean isBy(ClientCertificates other) {
        return asked == other;
    }

    /**
     * Removes from a request the fields that only the proxy may set, and those that a server could confuse with them.
     */
    public void strip(HeaderMap in) {
        List<HttpString> forged = null;
        for (long i = in.fastIterateNonEmpty(); i != -1; i = in.fiNextNonEmpty(i)) {
            HttpString name = in.fiCurrent(i).getHeaderName();
            if (isReserved(name)) {
                forged = forged == null ? new ArrayList<>() : forged;
                forged.add(name);
            }
        }
        if (forged != null) {
            forged.forEach(in::remove);
        }
    }

    private boolean isReserved(HttpString name) {
        for (HttpString each : reserved) {
            if (isReadAs(name, each)) {
                return true;
            }
        }
        return false;
    }

    /**
     * Whether two names differ in case and punctuation at most, which CGI environments (RFC 3875 section 4.1.18) don't
     * keep.
     */
    private static boolean isReadAs(HttpString name, HttpString other) {
        if (name.length() != other.length()) {
            return false;
        }
        for (int i = 0; i < name.length(); i++) {
            if (FieldNames.folded(name.byteAt(i)) != FieldNames.folded(other.byteAt(i))) {
                return false;
            }
        }
        return true;
    }

    /** The name of the field with the client's certificate. */
    public String header() {
        return asked.header();
    }

    /** The fields for the upstream. */
    public Map<HttpString, String> fields() {
        return fields;
    }
}
