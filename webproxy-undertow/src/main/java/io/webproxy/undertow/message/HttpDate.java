package io.webproxy.undertow.message;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Dates in fields, such as {@code Date} (RFC 9110 sections 5.6.7 and 6.6.1). Thread-safe. */
public final class HttpDate {
    private static final DateTimeFormatter FORMAT = DateTimeFormatter.ofPattern(
                    "EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.US)
            .withZone(ZoneOffset.UTC);

    /** The form that is sent, and the two obsolete ones that must be understood too. */
    private static final List<DateTimeFormatter> FORMS = List.of(
            FORMAT,
            DateTimeFormatter.ofPattern("EEEE, dd-MMM-yy HH:mm:ss 'GMT'", Locale.US)
                    .withZone(ZoneOffset.UTC),
            DateTimeFormatter.ofPattern("EEE MMM ppd HH:mm:ss yyyy", Locale.US).withZone(ZoneOffset.UTC));

    /** The longest weekday's form has fewer characters. */
    private static final int MOST_LENGTH = 40;

    private static volatile Second last = new Second(-1, "");

    private record Second(long epoch, String text) {}

    private HttpDate() {}

    /** Now, by the system's clock. */
    public static String now() {
        return at(Instant.now());
    }

    /** The time that a date means, or null if it is none. */
    public static @Nullable Instant parse(String date) {
        if (date.length() <= MOST_LENGTH) {
            for (DateTimeFormatter form : FORMS) {
                try {
                    return form.parse(date, Instant::from);
                } catch (DateTimeParseException e) {
                    // another form
                }
            }
        }
        return null;
    }

    static String at(Instant time) {
        Second known = last;
        if (known.epoch() != time.getEpochSecond()) {
            known = new Second(time.getEpochSecond(), FORMAT.format(time));
            last = known;
        }
        return known.text();
    }
}
