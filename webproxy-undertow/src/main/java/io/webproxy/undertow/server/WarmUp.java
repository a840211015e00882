package io.webproxy.undertow.server;

import io.webproxy.undertow.deadline.Daemons;
import io.webproxy.undertow.deadline.Guard;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Initialises the classes that requests will need before there are any. If a class initialiser fails, for want of a
 * descriptor or memory, the class stays unusable for the JVM's life (JLS section 12.4.2). No canary: the language says
 * so. The classes are XNIO's (3.8.16), Undertow's (2.4.4) and our own.
 */
final class WarmUp {
    /** Their initialisers open files. */
    private static final List<String> WITH_FILES = List.of("org.xnio.channels.Channels", "org.xnio.conduits.Conduits");

    private static final String OTHERS = "hot-classes.txt";
    private static final AtomicBoolean DONE = new AtomicBoolean();

    private WarmUp() {}

    /**
     * Initialises classes that open files, once in a JVM; the rest on a daemon thread that ends, so that a start isn't
     * delayed.
     */
    static void run() {
        if (!DONE.compareAndSet(false, true)) {
            return;
        }
        ClassLoader loader = WarmUp.class.getClassLoader();
        // opens every jar of the class path: a class in an unopened one couldn't be found later
        loader.getResource("io/webproxy/no-such-resource");
        new SecureRandom().nextInt();
        WITH_FILES.forEach(name -> initialise(name, loader));
        Daemons.thread("webproxy-warm-up", () -> Guard.run("the warm-up", () -> others(loader)))
                .start();
    }

    private static void others(ClassLoader loader) {
        names().forEach(name -> initialise(name, loader));
    }

    /** Classes that requests of all kinds were seen to initialise. */
    static List<String> names() {
        try (InputStream in = WarmUp.class.getResourceAsStream(OTHERS)) {
            return in == null
                    ? List.of()
                    : new BufferedReader(new InputStreamReader(in, StandardCharsets.US_ASCII))
                            .lines()
                            .toList();
        } catch (IOException e) {
            return List.of();
        }
    }

    private static void initialise(String name, ClassLoader loader) {
        try {
            Class.forName(name, true, loader);
        } catch (ClassNotFoundException | LinkageError e) {
            // in an optional library, or in another version
        }
    }
}
