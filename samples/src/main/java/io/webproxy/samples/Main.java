package io.webproxy.samples;

import io.webproxy.samples.cli.Cli;

/** The runnable jar: puts a proxy in front of a service, or of a demo. */
public final class Main {
    private Main() {}

    /** Runs a command; see {@code --help}. Ends the JVM with 0, 1 (it failed) or 2 (wrong arguments). */
    public static void main(String[] args) {
        // before any class of Undertow or XNIO is loaded: they log through JBoss Logging
        System.setProperty("org.jboss.logging.provider", "slf4j");
        System.exit(Cli.commandLine().execute(args));
    }
}
