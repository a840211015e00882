package io.webproxy.acme.store;

import java.io.IOException;

/** Runs a command of the operating system. */
final class Command {
    private Command() {}

    /** Whether it is there and succeeds. */
    static boolean succeeds(String... command) throws InterruptedException {
        try {
            return new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        }
    }
}
