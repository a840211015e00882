package io.webproxy.spi;

/** The two versions of the PROXY header. */
public enum ProxyHeaderVersion {
    /** A line of text. */
    V1,
    /** Binary. */
    V2;

    /**
     * The version with this number.
     *
     * @throws IllegalArgumentException if it is neither 1 nor 2
     */
    public static ProxyHeaderVersion of(int number) {
        return switch (number) {
            case 1 -> V1;
            case 2 -> V2;
            default -> throw new IllegalArgumentException("proxyProtocol: " + number + " (expected: 1 or 2)");
        };
    }
}
