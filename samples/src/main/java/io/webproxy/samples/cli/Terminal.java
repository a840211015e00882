package io.webproxy.samples.cli;

import java.io.Console;
import java.util.Map;

/**
 * What standard output can show. Colours and links are for terminals that have them: not for {@code TERM=dumb}, and no
 * colours with {@code NO_COLOR} (no-color.org).
 *
 * @param colours whether it shows colours
 * @param links whether it shows links (OSC 8)
 */
record Terminal(boolean colours, boolean links) {
    /** Text without more. */
    static final Terminal PLAIN = new Terminal(false, false);

    private static final String ESCAPE = "\u001b";
    private static final String END_OF_LINK = ESCAPE + "\\";

    /** A colour of a text. */
    enum Colour {
        NONE(""),
        DIM("2"),
        GOOD("32"),
        WARN("33"),
        BAD("31");

        private final String code;

        Colour(String code) {
            this.code = code;
        }
    }

    /** Whether standard input and output are a terminal's, so that a person reads along. */
    static boolean isThere() {
        Console console = System.console();
        if (console == null) {
            return false;
        }
        try {
            // since Java 22 there is a console without a terminal too
            return (boolean) Console.class.getMethod("isTerminal").invoke(console);
        } catch (ReflectiveOperationException e) {
            return true;
        }
    }

    /** What a terminal with this environment shows. */
    static Terminal of(Map<String, String> environment) {
        String kind = environment.getOrDefault("TERM", "");
        if (kind.isEmpty() || kind.equals("dumb")) {
            return PLAIN;
        }
        return new Terminal(environment.getOrDefault("NO_COLOR", "").isEmpty(), !kind.equals("linux"));
    }

    /** A text in a colour. */
    String coloured(String text, Colour colour) {
        return !colours || colour == Colour.NONE ? text : ESCAPE + "[" + colour.code + "m" + text + ESCAPE + "[0m";
    }

    /** An address, which is a link to itself. */
    String link(String address) {
        return links ? ESCAPE + "]8;;" + address + END_OF_LINK + address + ESCAPE + "]8;;" + END_OF_LINK : address;
    }
}
