package io.webproxy.undertow.http2;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.undertow.util.HttpString;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Any bytes as field blocks of one connection: a byte with the length of each stands before it. */
class HpackFuzzTest {
    private static String text(HttpString name) {
        byte[] bytes = new byte[name.length()];
        name.copyTo(bytes, 0);
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    @FuzzTest
    void hpack(byte[] input) {
        HpackDecoder decoder = new HpackDecoder(256);
        HpackEncoder encoder = new HpackEncoder();
        HpackDecoder peer = new HpackDecoder(HpackEncoder.MOST_TABLE_BYTES);
        int at = 0;
        boolean valid = true;
        while (valid && at < input.length) {
            int from = at + 1;
            at = Math.min(input.length, from + (input[at] & 0xff));
            List<String> fields = new ArrayList<>();
            encoder.tableLimit(at * 31 % 300);
            encoder.start();
            valid = decoder.decode(input, from, at, (name, value) -> {
                fields.add(lower(text(name)) + '\n' + neutral(value));
                encoder.field(name, value);
            });
            assertThat(decoder.table().bytes()).isBetween(0, 256);
            List<String> again = new ArrayList<>();
            assertThat(peer.decode(
                            encoder.bytes(),
                            0,
                            encoder.length(),
                            (name, value) -> again.add(text(name) + '\n' + value)))
                    .isTrue();
            assertThat(again).isEqualTo(fields);
        }
    }

    private static String lower(String name) {
        char[] chars = name.toCharArray();
        for (int i = 0; i < chars.length; i++) {
            chars[i] = chars[i] >= 'A' && chars[i] <= 'Z' ? (char) (chars[i] | 0x20) : chars[i];
        }
        return new String(chars);
    }

    private static String neutral(String value) {
        return value.replace('\r', ' ').replace('\n', ' ').replace('\0', ' ');
    }
}
