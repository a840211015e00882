package io.webproxy.samples.cli;

/** The values of {@code --proxy-protocol}: the version of the PROXY header. */
enum ProxyHeader {
    V1(1),
    V2(2);

    private final int version;

    ProxyHeader(int version) {
        this.version = version;
    }

    int version() {
        return version;
    }
}
