package io.webproxy.undertow.observe;

import io.webproxy.observe.RelayRecord;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes one line per connection of a port rule to the logger {@code io.webproxy.relay} at INFO, with the fields in a
 * fixed order and {@code -} for missing values.
 */
final class RelayLog {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.relay");

    private RelayLog() {}

    static boolean isEnabled() {
        return LOG.isInfoEnabled();
    }

    static void log(RelayRecord relay) {
        if (LOG.isInfoEnabled()) {
            LOG.info(line(relay));
            if (!relay.detail().isEmpty()) {
                LOG.debug("{}", relay.detail());
            }
        }
    }

    static String line(RelayRecord r) {
        StringBuilder line = new StringBuilder(192)
                .append("client=")
                .append(AddressText.of(r.client()))
                .append(" endpoint=")
                .append(word(r.endpoint()))
                .append(" rule=")
                .append(word(r.rule().orElse("")))
                .append(" source=")
                .append(r.source().map(AddressText::of).orElse("-"))
                .append(" target=")
                .append(word(r.target().orElse("")))
                .append(" sent=")
                .append(r.sent())
                .append(" received=")
                .append(r.received())
                .append(" seconds=");
        return seconds(line, r.duration()).append(" end=").append(r.end()).toString();
    }

    /** Three decimals; a formatter would take longer than all the rest. */
    private static StringBuilder seconds(StringBuilder line, Duration duration) {
        long millis = duration.toMillis();
        int rest = (int) (millis % 1000);
        return line.append(millis / 1000)
                .append(rest < 10 ? ".00" : rest < 100 ? ".0" : ".")
                .append(rest);
    }

    /** A name as one word that can't be taken for another field. */
    private static String word(String name) {
        if (name.isEmpty()) {
            return "-";
        }
        StringBuilder word = new StringBuilder(name.length());
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            word.append(c <= ' ' || c == '=' || c == 0x7f || (c >= 0x80 && c < 0xa0) ? '_' : c);
        }
        return word.toString();
    }
}
