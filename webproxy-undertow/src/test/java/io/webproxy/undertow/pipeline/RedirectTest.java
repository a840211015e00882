package io.webproxy.undertow.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RedirectTest {
    @Test
    void bytesAboveAsciiArePercentEncodedInALocationAndNothingElseIs() {
        assertThat(Redirect.encoded("a=\u00e4\u0080\u00ff&%e4=100%|^")).isEqualTo("a=%E4%80%FF&%e4=100%|^");
        assertThat(Redirect.encoded("\u007f\r\n \u0161")).isEqualTo("\u007f\r\n \u0161");
    }
}
