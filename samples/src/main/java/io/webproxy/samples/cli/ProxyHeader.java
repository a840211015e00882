package io.webproxy.samples.cli;

/** What {@code --proxy-protocol} can be: the form of the PROXY protocol's header. */
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
