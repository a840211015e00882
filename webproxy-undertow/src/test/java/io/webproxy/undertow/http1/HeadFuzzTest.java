package io.webproxy.undertow.http1;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.webproxy.http.HttpLimits;
import java.nio.ByteBuffer;

/** Any bytes as a request head. */
class HeadFuzzTest {
    @FuzzTest
    void head(byte[] input) {
        HttpLimits limits = HttpLimits.defaults();
        ByteBuffer all = ByteBuffer.wrap(input);
        ParsedHead whole = ParsedHead.of(all, Math.max(1, input.length), limits);
        ParsedHead pieces = ParsedHead.of(all, 3, limits);
        assertThat(pieces.status()).isEqualTo(whole.status());
        if (whole.status() < 414) {
            assertThat(pieces).hasToString(whole.toString());
        }
    }
}
