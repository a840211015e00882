package io.webproxy.undertow.tunnel;

/** What this library calls itself towards the other side. */
final class Software {
    private Software() {}

    static String name() {
        String version = Software.class.getPackage().getImplementationVersion();
        return "webproxy/" + (version == null ? "unknown" : version);
    }
}
