package io.webproxy.port;

import io.webproxy.spi.PortRules;
import java.util.function.Consumer;

/**
 * Collects the rules for what is inside a terminated TLS connection. HTTP goes to the server's routes, unless an
 * earlier rule takes it.
 *
 * <p>The rules don't apply to a client that offers an application protocol (ALPN): it speaks HTTP, and goes to the
 * routes. Not thread-safe.
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
