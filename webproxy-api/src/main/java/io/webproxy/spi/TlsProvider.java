package io.webproxy.spi;

/** The TLS implementation of the server. */
public enum TlsProvider {
    /** Conscrypt if its native library loads, else the JDK's. */
    AUTO,
    /** The JDK's. */
    JDK
}
