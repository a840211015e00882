/** What users of webproxy compile against; the engine is found by {@link java.util.ServiceLoader}. */
@SuppressWarnings("module") // the modules that spi is for aren't there yet when this one is compiled
module io.webproxy.api {
    requires static micrometer.core;
    requires static transitive org.jspecify;
    // the engine's, which is often on the class path: there a module of the JDK that no module requires isn't seen
    requires java.logging;
    requires java.management;
    requires java.naming;
    requires java.security.sasl;
    requires jdk.management;
    requires jdk.unsupported;
    requires org.slf4j;

    exports io.webproxy;
    exports io.webproxy.auth;
    exports io.webproxy.http;
    exports io.webproxy.metrics;
    exports io.webproxy.observe;
    exports io.webproxy.port;
    exports io.webproxy.route;
    exports io.webproxy.spi to
            io.webproxy.acme,
            io.webproxy.undertow;
    exports io.webproxy.timeout;
    exports io.webproxy.tls;
    exports io.webproxy.tunnel;

    uses io.webproxy.spi.ProxyEngine;
}
