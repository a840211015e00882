package io.webproxy.samples.cli;

import io.webproxy.port.BytePattern;
import io.webproxy.port.Relay;
import io.webproxy.port.Sni;
import java.util.Arrays;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Parses targets of connections, and the names or bytes that select them. */
final class Targets {
    private static final Pattern MATCH = Pattern.compile(
            "(?<name>[^=]*):(?<hex>[^=:/@]*)(?:/(?<mask>[^=:/@]*))?(?:@(?<offset>[^=:/@]*))?=(?<to>.*)");

    /** Further values that some options accept. */
    private static final Map<String, String> WORDS = Map.of(
            "--http", "here, redirect, or HOST:PORT such as 127.0.0.1:8080",
            "--tls", "here, or HOST:PORT such as 127.0.0.1:8443");

    private Targets() {}

    /** Whether it covers many names. */
    static boolean isWildcard(Sni name) {
        return name.toString().startsWith("*");
    }

    /** Targets that take turns, separated by commas. */
    static Relay of(String option, String targets) {
        String[] each = targets.split(",", -1);
        if (Arrays.stream(each).anyMatch(String::isBlank)) {
            throw Complaint.wrong(option, "an empty target", "HOST:PORT, such as 127.0.0.1:22");
        }
        try {
            return Complaint.of(option, () -> Relay.to(each));
        } catch (IllegalArgumentException e) {
            String words = WORDS.get(option);
            throw words == null ? e : Complaint.wrong(option, targets, words);
        }
    }

    /**
     * A server name and the targets of its connections.
     *
     * @param targets separated by commas
     */
    record Named(Sni sni, String targets) {
        static Named of(String option, String text) {
            int equals = text.indexOf('=');
            if (equals <= 0 || equals == text.length() - 1) {
                throw Complaint.wrong(
                        option, text, "NAME=HOST:PORT, such as db.example.com=127.0.0.1:8443 or *.example.com=…");
            }
            return new Named(Complaint.of(option, () -> Sni.of(text.substring(0, equals))), text.substring(equals + 1));
        }
    }

    /**
     * A byte pattern and the targets of its connections.
     *
     * @param targets separated by commas
     */
    record Matched(String name, BytePattern pattern, String targets) {
        static Matched of(String option, String text) {
            Matcher match = MATCH.matcher(text);
            if (!match.matches()
                    || match.group("name").isBlank()
                    || match.group("to").isBlank()) {
                throw Complaint.wrong(
                        option, text, "NAME:HEX=HOST:PORT, such as rdp:0300=127.0.0.1:3389, HEX/MASK or HEX@OFFSET");
            }
            return new Matched(
                    match.group("name"),
                    Complaint.of(option, () -> pattern(match.group("hex"), match.group("mask"), match.group("offset"))),
                    match.group("to"));
        }

        private static BytePattern pattern(String hex, @Nullable String mask, @Nullable String offset) {
            BytePattern pattern = BytePattern.of(hex);
            pattern = mask == null ? pattern : pattern.mask(mask);
            if (offset == null) {
                return pattern;
            }
            if (!offset.matches("[0-9]{1,4}")) {
                throw new IllegalArgumentException("offset: @" + offset + " (expected: @0 to @4096)");
            }
            return pattern.at(Integer.parseInt(offset));
        }
    }
}
