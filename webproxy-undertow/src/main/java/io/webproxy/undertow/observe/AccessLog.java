package io.webproxy.undertow.observe;

import io.webproxy.spi.AccessLogFormat;
import io.webproxy.spi.ExchangeData;
import java.time.Duration;
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

    private AccessLog() {}

    static boolean isEnabled() {
        return LOG.isInfoEnabled();
    }

    static void log(ExchangeData exchange, AccessLogFormat format) {
        if (LOG.isInfoEnabled()) {
            boolean withQuery = LOG.isDebugEnabled();
            LOG.info(
                    "{}",
                    switch (format) {
                        case COMBINED -> line(exchange, withQuery);
                        case JSON -> JsonLine.of(exchange, withQuery);
                    });
        }
    }

    static String line(ExchangeData e, boolean withQuery) {
        StringBuilder line = new StringBuilder(256);
        line.append(AddressText.of(e.client())).append(" - ");
        word(line, e.userOrNull()).append(" [").append(TIME.format(e.start())).append("] \"");
        escaped(line, e.method()).append(' ');
        escaped(line, e.path());
        if (!e.query().isEmpty()) {
            line.append('?');
            escaped(line, withQuery ? e.query() : "…");
        }
        escaped(line.append(' '), e.protocol())
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
        line.append(" connect=").append(seconds(e.connect()));
        line.append(" first=").append(e.firstByteOrNull() == null ? "-" : seconds(e.firstByteOrNull()));
        line.append(" total=").append(seconds(e.total()));
        line.append(" error=").append(e.errorOrNull() == null ? "-" : e.errorOrNull());
        line.append(" grpc_status=").append(e.grpcStatusOrNull() == null ? "-" : e.grpcStatusOrNull());
        word(line.append(" traceparent="), e.traceParentOrNull());
        word(line.append(" tracestate="), e.traceStateOrNull());
        word(line.append(" id="), e.requestId());
        return line.toString();
    }

    private static String seconds(Duration time) {
        return String.format(Locale.ROOT, "%.3f", time.toNanos() / 1e9);
    }

    private static StringBuilder word(StringBuilder line, @Nullable String text) {
        return text == null || text.isEmpty() ? line.append('-') : escaped(line, text.replace(' ', '_'));
    }

    private static void quoted(StringBuilder line, @Nullable String text) {
        line.append(" \"");
        escaped(line, text == null ? "-" : text).append('"');
    }

    private static StringBuilder escaped(StringBuilder line, String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                line.append('\\').append(c);
            } else if (c < ' ' || c == 0x7f || (c >= 0x80 && c < 0xa0)) {
                line.append(String.format(Locale.ROOT, "\\x%02x", (int) c));
            } else {
                line.append(c);
            }
        }
        return line;
    }
}
