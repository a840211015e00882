package io.webproxy.undertow.observe;

import io.webproxy.spi.AccessLogFormat;
import io.webproxy.spi.ExchangeData;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes one line per exchange to the logger {@code io.webproxy.access} at INFO: the combined format with fields of the
 * proxy's own, or JSON. Queries are included only if that logger is at DEBUG.
 */
final class AccessLog {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.access");
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("dd/MMM/yyyy:HH:mm:ss Z", Locale.ROOT).withZone(ZoneOffset.UTC);

    private static final int DECIMALS = 3;

    /** Most lines are shorter. */
    private static final int LENGTH = 512;

    private static volatile LastSecond lastSecond = new LastSecond(0, TIME.format(Instant.EPOCH));

    /** A second since 1970, and its text. */
    private record LastSecond(long second, String text) {}

    private AccessLog() {}

    static boolean isEnabled() {
        return LOG.isInfoEnabled();
    }

    static void log(ExchangeData exchange, AccessLogFormat format) {
        if (LOG.isInfoEnabled()) {
            boolean withQuery = LOG.isDebugEnabled();
            // without an argument nothing in the line is replaced, and it isn't copied
            LOG.info(
                    switch (format) {
                        case COMBINED -> line(exchange, withQuery);
                        case JSON -> JsonLine.of(exchange, withQuery);
                    });
        }
    }

    static String line(ExchangeData e, boolean withQuery) {
        StringBuilder line = new StringBuilder(LENGTH);
        line.append(AddressText.of(e.client())).append(" - ");
        word(line, e.userOrNull()).append(" [").append(time(e.start())).append("] \"");
        Escape.text(line, e.method()).append(' ');
        Escape.text(line, e.path());
        if (!e.query().isEmpty()) {
            line.append('?');
            Escape.text(line, withQuery ? e.query() : "…");
        }
        Escape.text(line.append(' '), e.protocol())
                .append("\" ")
                .append(e.status())
                .append(' ')
                .append(e.bytesOut());
        quoted(line, e.refererOrNull());
        quoted(line, e.userAgentOrNull());
        line.append(" host=");
        word(line, e.authority()).append(" route=");
        word(line, e.routeOrNull()).append(" upstream=");
        word(line, e.upstreamOrNull()).append(" upstream_protocol=");
        word(line, e.upstreamProtocolOrNull());
        line.append(" class=").append(e.startClass());
        if (e.endClass() != e.startClass()) {
            line.append('>').append(e.endClass());
        }
        line.append(" in=").append(e.bytesIn());
        line.append(" attempts=").append(e.attempts());
        Seconds.append(line.append(" connect="), e.connect(), DECIMALS);
        line.append(" first=");
        if (e.firstByteOrNull() == null) {
            line.append('-');
        } else {
            Seconds.append(line, e.firstByteOrNull(), DECIMALS);
        }
        Seconds.append(line.append(" total="), e.total(), DECIMALS);
        line.append(" error=").append(e.errorOrNull() == null ? "-" : e.errorOrNull());
        line.append(" grpc_status=").append(e.grpcStatusOrNull() == null ? "-" : e.grpcStatusOrNull());
        word(line.append(" traceparent="), e.traceParentOrNull());
        word(line.append(" tracestate="), e.traceStateOrNull());
        word(line.append(" id="), e.requestId());
        return line.toString();
    }

    /** The time of a line, which is formatted once a second. */
    private static String time(Instant start) {
        LastSecond last = lastSecond;
        if (last.second() != start.getEpochSecond()) {
            last = new LastSecond(start.getEpochSecond(), TIME.format(start));
            lastSecond = last;
        }
        return last.text();
    }

    private static StringBuilder word(StringBuilder line, @Nullable String text) {
        return text == null || text.isEmpty() ? line.append('-') : Escape.text(line, text.replace(' ', '_'));
    }

    private static void quoted(StringBuilder line, @Nullable String text) {
        line.append(" \"");
        Escape.text(line, text == null ? "-" : text).append('"');
    }
}
