package io.webproxy.undertow.message;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** The value of the {@code Date} field (RFC 9110 sections 5.6.7 and 6.6.1). Thread-safe. */
public final class HttpDate {
    private static final DateTimeFormatter FORMAT = DateTimeFormatter.ofPattern(
                    "EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.US)
            .withZone(ZoneOffset.UTC);

    private static volatile Second last = new Second(-1, "");

    private record Second(long epoch, String text) {}

    private HttpDate() {}

    /** Now, by the system's clock. */
    public static String now() {
        return at(Instant.now());
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
