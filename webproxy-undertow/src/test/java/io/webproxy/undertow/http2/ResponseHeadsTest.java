package io.webproxy.undertow.http2;

import static org.assertj.core.api.Assertions.assertThat;

import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ResponseHeadsTest {
    private final HpackEncoder encoder = new HpackEncoder();
    private final ResponseHeads heads = new ResponseHeads(encoder);
    private final HpackDecoder client = new HpackDecoder(4096);

    private List<String> decoded() {
        List<String> fields = new ArrayList<>();
        assertThat(client.decode(
                        encoder.bytes(),
                        0,
                        encoder.length(),
                        (name, value) -> fields.add(name.toString() + ": " + value)))
                .isTrue();
        return fields;
    }

    @Test
    void statusComesFirstAndNamesAreInLowerCase() {
        HeaderMap fields = new HeaderMap();
        fields.put(Headers.CONTENT_TYPE, "text/plain");
        fields.add(new HttpString("X-Some-NAME"), "a");
        fields.add(new HttpString("X-Some-NAME"), "b");
        heads.encode(200, fields);

        List<String> decoded = decoded();
        assertThat(decoded.get(0)).isEqualTo(":status: 200");
        assertThat(decoded)
                .containsExactlyInAnyOrder(
                        ":status: 200", "content-type: text/plain", "x-some-name: a", "x-some-name: b");
    }

    @Test
    void fieldsOfOneConnectionAreLeftOut() {
        HeaderMap fields = new HeaderMap();
        for (String name :
                List.of("Connection", "keep-alive", "Proxy-Connection", "Transfer-Encoding", "Upgrade", "x")) {
            fields.put(new HttpString(name), "v");
        }
        heads.encode(502, fields);

        assertThat(decoded()).containsExactly(":status: 502", "x: v");
    }

    @Test
    void trailersHaveNoStatus() {
        HeaderMap fields = new HeaderMap();
        fields.put(new HttpString("X-Sum"), "1");
        encoder.start();
        encoder.fields(fields);

        assertThat(decoded()).containsExactly("x-sum: 1");
    }

    @Test
    void lineBreaksOfAValueDoNoHarm() {
        HeaderMap fields = new HeaderMap();
        fields.put(new HttpString("x"), "a\r\nb\0c");
        heads.encode(200, fields);

        assertThat(decoded().get(1)).doesNotContain("\r").doesNotContain("\n").doesNotContain("\0");
    }

    @Test
    void tableMayShrinkAndGrowBetweenHeads() {
        HeaderMap fields = new HeaderMap();
        fields.put(new HttpString("x-repeated"), "value");
        for (int limit : new int[] {4096, 0, 4096, 64, 4096}) {
            encoder.tableLimit(limit);
            for (int i = 0; i < 3; i++) {
                heads.encode(200, fields);
                assertThat(decoded()).containsExactly(":status: 200", "x-repeated: value");
                assertThat(client.table().bytes()).isLessThanOrEqualTo(limit);
            }
        }
    }
}
