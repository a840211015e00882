package io.webproxy.acme;

/** The type of a certificate's key. Each certificate gets a new key. */
public enum KeyType {
    /** ECDSA on P-256, which every client of the last decade supports. */
    EC,
    /** RSA with 2048 bits, for older clients. */
    RSA
}
