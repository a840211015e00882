package io.webproxy.acme.renewal;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The renewal state of a certificate, stored beside it, so that a restart neither wastes an attempt nor restarts the
 * waits.
 *
 * @param names the certificate's names; for other names the state is ignored
 */
record Progress(
        List<String> names,
        @Nullable Failures failures,
        @Nullable Suggestion suggestion) {
    Progress {
        names = List.copyOf(names);
    }

    static Progress none(List<String> names) {
        return new Progress(names, null, null);
    }

    Progress with(@Nullable Failures other) {
        return new Progress(names, other, suggestion);
    }

    Progress with(@Nullable Suggestion other) {
        return new Progress(names, failures, other);
    }

    byte[] print() {
        StringBuilder text = new StringBuilder("names: " + String.join(" ", names) + "\n");
        if (failures != null) {
            text.append("failures: ").append(failures.count()).append('\n');
            text.append("last failure: ").append(failures.last()).append('\n');
            text.append("next attempt: ").append(failures.next()).append('\n');
            text.append("error: ")
                    .append(failures.sentence().replaceAll("\\s+", " "))
                    .append('\n');
        }
        if (suggestion != null) {
            text.append("serial: ").append(suggestion.serial().toString(16)).append('\n');
            text.append("window start: ").append(suggestion.start()).append('\n');
            text.append("window end: ").append(suggestion.end()).append('\n');
            text.append("asked: ").append(suggestion.asked()).append('\n');
            text.append("ask again: ").append(suggestion.askAgain()).append('\n');
        }
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    /** Parses the stored form; empty if it is damaged or for other names, because it isn't essential. */
    static Progress parse(byte[] kept, List<String> names) {
        Map<String, String> values = new HashMap<>();
        new String(kept, StandardCharsets.UTF_8).lines().forEach(line -> {
            int colon = line.indexOf(": ");
            if (colon > 0) {
                values.put(line.substring(0, colon), line.substring(colon + 2));
            }
        });
        if (!String.join(" ", names).equals(values.get("names"))) {
            return none(names);
        }
        try {
            return new Progress(names, failures(values), suggestion(values));
        } catch (DateTimeException | NumberFormatException e) {
            return none(names);
        }
    }

    private static @Nullable Failures failures(Map<String, String> values) {
        String count = values.get("failures");
        return count == null
                ? null
                : new Failures(
                        Math.max(1, Integer.parseInt(count)),
                        instant(values, "last failure"),
                        instant(values, "next attempt"),
                        values.getOrDefault("error", ""));
    }

    private static @Nullable Suggestion suggestion(Map<String, String> values) {
        String serial = values.get("serial");
        return serial == null
                ? null
                : new Suggestion(
                        new BigInteger(serial, 16),
                        instant(values, "window start"),
                        instant(values, "window end"),
                        instant(values, "asked"),
                        instant(values, "ask again"));
    }

    private static Instant instant(Map<String, String> values, String name) {
        return Instant.parse(values.getOrDefault(name, ""));
    }
}
