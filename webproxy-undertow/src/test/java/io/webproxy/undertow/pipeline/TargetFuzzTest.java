package io.webproxy.undertow.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.webproxy.spi.HostPattern;
import io.webproxy.undertow.exchange.RequestPath;
import io.webproxy.undertow.message.Authority;
import java.nio.charset.StandardCharsets;

/** Any path and any authority. */
class TargetFuzzTest {
    @FuzzTest
    void path(byte[] input) {
        String normalized = RequestPath.normalized("/" + new String(input, StandardCharsets.ISO_8859_1));
        if (normalized == null) {
            return;
        }
        assertThat(RequestPath.normalized(normalized)).isEqualTo(normalized);
        assertThat(normalized).startsWith("/").doesNotContain("\\", "#", "\0");
        String[] segments = normalized.substring(1).split("/", -1);
        for (int i = 0; i < segments.length; i++) {
            String segment = segments[i];
            int semicolon = segment.indexOf(';');
            assertThat(semicolon < 0 ? segment : segment.substring(0, semicolon))
                    .isNotIn(".", "..");
            assertThat(segment.isEmpty() && i < segments.length - 1).isFalse();
            for (String hidden : segment.replaceAll("%2[Ff]", "/").split("/", -1)) {
                assertThat(hidden).isNotIn(".", "..");
            }
        }
    }

    @FuzzTest
    void authority(byte[] input) {
        String authority = new String(input, StandardCharsets.ISO_8859_1);
        if (Authority.isValid(authority)) {
            assertThat(authority).doesNotContain("/", "@", " ", "\r", "\n", "\0", "#", "?", "\\");
            assertThat(HostPattern.hostOf(authority)).isNotEmpty();
        }
    }
}
