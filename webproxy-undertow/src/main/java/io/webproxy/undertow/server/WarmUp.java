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
 * Initialises what requests will need, before there are any: a class whose initialiser fails, because there is no
 * descriptor or no memory at that moment, can't be used any more as long as the JVM lives (JLS section 12.4.2). No
 * canary: that is the language, and no defect. The classes are XNIO's (3.8.16), Undertow's (2.4.4) and our own.
 */
final class WarmUp {
    /** Their initialisers open files. */
    private static final List<String> WITH_FILES = List.of("org.xnio.channels.Channels", "org.xnio.conduits.Conduits");

    private static final String OTHERS = "hot-classes.txt";
    private static final AtomicBoolean DONE = new AtomicBoolean();

    private WarmUp() {}

    /**
     * Initialises once in a JVM what opens files; the rest on a daemon thread that ends, so that a start takes no
     * longer.
     */
    static void run() {
        if (!DONE.compareAndSet(false, true)) {
            return;
        }
        ClassLoader loader = WarmUp.class.getClassLoader();
        // opens every jar of the class path that isn't open yet: a class in it could not be found later
        loader.getResource("io/webproxy/no-such-resource");
        new SecureRandom().nextInt();
        WITH_FILES.forEach(name -> initialise(name, loader));
        Daemons.thread("webproxy-warm-up", () -> Guard.run("the warm-up", () -> others(loader)))
                .start();
    }

    private static void others(ClassLoader loader) {
        names().forEach(name -> initialise(name, loader));
    }

    /** What requests of all kinds have been seen to initialise. */
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
            // of an optional library, or of another version
        }
    }
}
