package io.webproxy.port;

import io.webproxy.spi.PortRules;
import java.util.function.Consumer;

/**
 * Collects what becomes of the bytes within a TLS connection that ends here. HTTP goes to the server's routes, unless a
 * rule takes it before.
 *
 * <p>A client that offers an application protocol (ALPN) is never looked into: it speaks HTTP, and goes to the routes.
 * Not thread-safe.
 */
public final class InsideBuilder extends RuleBuilder<InsideBuilder> {
    InsideBuilder() {}

    static PortRules collect(Consumer<InsideBuilder> rules) {
        InsideBuilder builder = new InsideBuilder();
        rules.accept(builder);
        return builder.rules();
    }

    @Override
    InsideBuilder self() {
        return this;
    }
}
