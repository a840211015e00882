package io.webproxy.tls;

/** Which TLS implementation serves. */
public enum TlsProvider {
    /** Conscrypt where its native library loads, else the JDK's. */
    AUTO,
    /** The JDK's. */
    JDK
}
