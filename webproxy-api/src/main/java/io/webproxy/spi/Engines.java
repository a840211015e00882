package io.webproxy.spi;

import io.webproxy.ProxyStartException;
import java.util.Iterator;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;

/** Finds the engine. */
public final class Engines {
    private Engines() {}

    /**
     * Finds the engine.
     *
     * @throws ProxyStartException if there is none, or it can't be loaded
     */
    public static ProxyEngine find() {
        ClassLoader loader = Engines.class.getClassLoader();
        // an engine on the class path is in the unnamed module, which an export can't name
        Engines.class.getModule().addExports("io.webproxy.spi", loader.getUnnamedModule());
        try {
            Iterator<ProxyEngine> engines =
                    ServiceLoader.load(ProxyEngine.class, loader).iterator();
            if (engines.hasNext()) {
                return engines.next();
            }
        } catch (ServiceConfigurationError e) {
            throw new ProxyStartException(
                    "The proxy engine on the class path can't be loaded: use the same version of webproxy-api and"
                            + " webproxy-undertow.",
                    e);
        }
        throw new ProxyStartException(
                "There is no proxy engine on the class path: add the dependency io.webproxy:webproxy-undertow.");
    }
}
