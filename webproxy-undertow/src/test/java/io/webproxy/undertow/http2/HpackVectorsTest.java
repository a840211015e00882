package io.webproxy.undertow.http2;

import static org.assertj.core.api.Assertions.assertThat;

import io.undertow.util.HttpString;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The examples of RFC 7541 appendix C. */
class HpackVectorsTest {
    @ParameterizedTest
    @MethodSource("io.webproxy.undertow.http2.HpackVectors#all")
    void isDecodedAsTheRfcSays(HpackVectors.Vector vector) {
        HpackDecoder decoder = new HpackDecoder(vector.limit());
        for (HpackVectors.Block block : vector.blocks()) {
            byte[] bytes = HexFormat.of().parseHex(block.hex());
            List<String> fields = new ArrayList<>();
            assertThat(decoder.decode(bytes, 0, bytes.length, (name, value) -> fields.add(name + ": " + value)))
                    .isTrue();
            assertThat(String.join("|", fields)).isEqualTo(block.fields());
            assertThat(String.join("|", entries(decoder.table()))).isEqualTo(block.table());
            assertThat(decoder.table().bytes()).isEqualTo(block.bytes());
        }
    }

    private static List<String> entries(HpackTable table) {
        List<String> entries = new ArrayList<>();
        for (int i = 0; i < table.count(); i++) {
            HttpString name = table.name(i);
            entries.add(name + ": " + table.value(i));
        }
        return entries;
    }
}
