package io.webproxy.samples.cli;

import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Parses times in options: a whole number with ms, s, m or h. */
final class Times {
    private static final Pattern VALUE = Pattern.compile("(\\d+)(ms|s|m|h)");
    private static final Map<String, ChronoUnit> UNITS =
            Map.of("ms", ChronoUnit.MILLIS, "s", ChronoUnit.SECONDS, "m", ChronoUnit.MINUTES, "h", ChronoUnit.HOURS);

    private Times() {}

    /** Parses a time; null if it is malformed; a value above all limits if it overflows. */
    static @Nullable Duration read(String text) {
        Matcher value = VALUE.matcher(text.toLowerCase(Locale.ROOT));
        if (!value.matches()) {
            return null;
        }
        try {
            return Duration.of(Long.parseLong(value.group(1)), UNITS.get(value.group(2)));
        } catch (ArithmeticException | NumberFormatException e) {
            return ChronoUnit.FOREVER.getDuration();
        }
    }
}
