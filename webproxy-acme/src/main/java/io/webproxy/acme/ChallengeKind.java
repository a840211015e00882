package io.webproxy.acme;

/** A type of ACME challenge: how a CA checks that a server controls a name. */
public enum ChallengeKind {
    /** A file by HTTP on port 80 (RFC 8555 section 8.3). Not for wildcards. */
    HTTP_01("http-01"),
    /** A certificate by TLS on port 443 (RFC 8737). Not for wildcards. */
    TLS_ALPN_01("tls-alpn-01"),
    /** A TXT record (RFC 8555 section 8.4); needs a {@link DnsRecordPublisher}. Not for IP addresses. */
    DNS_01("dns-01");

    private final String type;

    ChallengeKind(String type) {
        this.type = type;
    }

    /** Its type in ACME. */
    public String type() {
        return type;
    }
}
