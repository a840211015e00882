package io.webproxy.acme;

/** A kind of key for certificates. Each certificate has a new one. */
public enum KeyType {
    /** ECDSA on P-256: for every client of the last decade. */
    EC,
    /** RSA with 2048 bits: for older ones. */
    RSA
}
