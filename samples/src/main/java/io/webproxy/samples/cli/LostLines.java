package io.webproxy.samples.cli;

import java.nio.ByteBuffer;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Counts the lines of a log that are lost: one WARN reports the start of that, one INFO the end and how many they were.
 * Not thread-safe.
 */
final class LostLines {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.server");
    private static final long PAUSE_NANOS = Duration.ofSeconds(1).toNanos();

    private final String log;
    private long count;
    private long droppedAt;

    /** {@code log}: its name in sentences, such as {@code access log /var/log/access.log}. */
    LostLines(String log) {
        this.log = log;
    }

    /** Lines couldn't be written: what is left of a buffer. */
    void failed(ByteBuffer lines, String reason, String fix) {
        if (count == 0) {
            LOG.warn("The {} can't be written ({}), lines are lost: {}; it goes on by itself.", log, reason, fix);
        }
        skipped(lines);
    }

    /** Lines weren't even tried. */
    void skipped(ByteBuffer lines) {
        for (int i = lines.position(); i < lines.limit(); i++) {
            count += lines.get(i) == '\n' ? 1 : 0;
        }
    }

    /** Lines came faster than earlier ones could be written. */
    void dropped(long lines, long now) {
        if (count == 0) {
            LOG.warn(
                    "The {} is written more slowly than its lines come, some are lost: see what holds up its disk, or"
                            + " its reader; it goes on by itself.",
                    log);
        }
        count += lines;
        droppedAt = now;
    }

    /** Lines were written: reports what was lost, but not while more is lost every moment. */
    void written(long now) {
        if (count > 0 && (droppedAt == 0 || now - droppedAt >= PAUSE_NANOS)) {
            end();
        }
    }

    /** Reports what was lost, if anything was. */
    void end() {
        if (count > 0) {
            LOG.info("The {} is written again; lines lost: {}", log, count);
            count = 0;
            droppedAt = 0;
        }
    }
}
