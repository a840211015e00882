package io.webproxy.undertow.tunnel;

/** The name and version of this library, for the peer. */
final class Software {
    private Software() {}

    static String name() {
        String version = Software.class.getPackage().getImplementationVersion();
        return "webproxy/" + (version == null ? "unknown" : version);
    }
}
