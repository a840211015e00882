package io.webproxy.undertow.server;

import io.webproxy.ProxyStartException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.xnio.Xnio;

/**
 * Refuses a Java runtime on which the engine would fail later: one that lacks a module, such as an image made by jlink,
 * or with the engine on the module path.
 */
final class JavaRuntime {
    private static final List<String> MODULES = List.of(
            "java.logging",
            "java.management",
            "java.naming",
            "java.security.sasl",
            "jdk.management",
            "jdk.unsupported");

    /** Elliptic-curve keys; since Java 22 they are in {@code java.base}. */
    private static final String CURVES = "jdk.crypto.ec";

    private static final int CURVES_IN_BASE = 22;

    private JavaRuntime() {}

    static void check() {
        check(
                name -> ModuleLayer.boot().findModule(name).isPresent(),
                Runtime.version().feature());
        try {
            Xnio.getInstance(JavaRuntime.class.getClassLoader());
        } catch (LinkageError | IllegalArgumentException e) {
            throw refused(JavaRuntime.class.getModule().isNamed(), e);
        }
    }

    static void check(Predicate<String> isThere, int version) {
        List<String> missing = new ArrayList<>(MODULES);
        if (version < CURVES_IN_BASE) {
            missing.add(CURVES);
        }
        missing.removeIf(isThere);
        if (!missing.isEmpty()) {
            String names = String.join(",", missing);
            throw new ProxyStartException("The Java runtime lacks modules that the engine needs: add " + names
                    + " to the image (jlink --add-modules), or start java with --add-modules " + names + ".");
        }
    }

    static ProxyStartException refused(boolean isOnModulePath, Throwable why) {
        return new ProxyStartException(
                isOnModulePath
                        ? "The libraries of the engine don't work on the module path: put webproxy-undertow and what it"
                                + " depends on on the class path; webproxy-api may stay on the module path."
                        : "A library of the engine is missing or doesn't fit (" + why
                                + "): use the dependencies of webproxy-undertow, in their versions.",
                why);
    }
}
