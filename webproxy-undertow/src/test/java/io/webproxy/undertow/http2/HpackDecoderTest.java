package io.webproxy.undertow.http2;

import static org.assertj.core.api.Assertions.assertThat;

import io.undertow.util.HttpString;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class HpackDecoderTest {
    /** {@code a: b} into the table. */
    private static final String SMALL = "4001610162";

    private final HpackDecoder decoder = new HpackDecoder(4096);
    private final List<String> fields = new ArrayList<>();
    private final List<Object> objects = new ArrayList<>();

    private boolean decode(String hex) {
        byte[] block = HexFormat.of().parseHex(hex);
        return decode(block, 0, block.length);
    }

    private boolean decode(byte[] block, int from, int to) {
        fields.clear();
        objects.clear();
        return decoder.decode(block, from, to, (name, value) -> {
            fields.add(name + ": " + value);
            objects.add(name);
            objects.add(value);
        });
    }

    @Test
    void onlyThePartThatIsGivenIsRead() {
        byte[] block = HexFormat.of().parseHex("ff82ff");
        assertThat(decode(block, 1, 2)).isTrue();
        assertThat(fields).containsExactly(":method: GET");
        assertThat(decode(block, 1, 1)).isTrue();
        assertThat(fields).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"80", "be", "ff00", "ffffffffff7f", "7e0161", "0f2f0161", "1f2f0161"})
    void indexOutsideTheTablesIsRefused(String hex) {
        assertThat(decode(hex)).isFalse();
    }

    @ParameterizedTest
    @CsvSource({"be, true", "bf, false", "ff00, false", "7e0163, true", "7f000163, false"})
    void dynamicTableEndsWithItsLastEntry(String block, boolean valid) {
        assertThat(decode(SMALL)).isTrue();
        assertThat(decode(block)).isEqualTo(valid);
    }

    /** RFC 7541 appendix C.1, by the limit of the table. */
    @ParameterizedTest
    @CsvSource({"2a, 10", "3f9a0a, 1337", "3f9a8a8000, 1337", "3f00, 31", "3fe11f, 4096", "20, 0"})
    void integersAreRead(String hex, int expected) {
        assertThat(decode(hex)).isTrue();
        assertThat(decoder.table().limit()).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"ff", "ff80", "ff8080808000", "ff808080808000", "ffffffffff0f", "ffffffffffffffffffff01"})
    void integerWithoutAnEndOrBeyondAllNeedIsRefused(String hex) {
        assertThat(decode(hex)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"3fe21f", "3fe1ffffff0f", "823f00", "4001610162" + "20", "0001610162" + "20"})
    void limitAboveTheAnnouncedOneOrWithinABlockIsRefused(String hex) {
        assertThat(decode(hex)).isFalse();
    }

    @Test
    void limitsBeforeTheFirstFieldAllCount() {
        assertThat(decode(SMALL)).isTrue();
        assertThat(decode("20" + "3fe11f" + "82")).isTrue();
        assertThat(decoder.table().count()).isZero();
        assertThat(decoder.table().limit()).isEqualTo(4096);
        assertThat(decode("be")).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"40", "400261", "400161", "40016102", "4001610262", "00ff", "007fffffff7f61", "0001617fffffff7f"
            })
    void stringLongerThanTheBlockIsRefused(String hex) {
        assertThat(decode(hex)).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "18, false, bits that are no code's and not all ones",
        "1f, true, a and 3 bits of padding",
        "1e, false, a and other padding",
        "1fff, false, padding of 11 bits",
        "ff, false, padding of 8 bits",
        "ffffffff, false, EOS",
        "fffffffc, false, EOS and others",
        "1ffffffffe, false, EOS after an a",
        "fe, false, half a code of 10 bits",
        "fe7f, true, a whole code of 10 bits and 6 bits of padding",
        "ffffffef, true, a code of 28 bits",
        "ffffffee, false, a code of 28 bits and other padding",
        "fffffff3, true, a code of 30 bits",
        "fffffff2, false, a code of 30 bits and other padding",
        "ffffff, false, half a code of 30 bits"
    })
    void paddingIsTheStartOfEosAndShorterThanAByte(String code, boolean valid, String what) {
        String length = HexFormat.of().toHexDigits((byte) (0x80 | code.length() / 2));
        assertThat(decode("000161" + length + code)).as(what).isEqualTo(valid);
        assertThat(fields).hasSize(valid ? 1 : 0);
    }

    @Test
    void everySymbolHasACode() {
        for (int symbol = 0; symbol < 256; symbol++) {
            byte[] plain = {'a', (byte) symbol, 'b'};
            byte[] code = new byte[12];
            int length = Huffman.encode(plain, 0, 3, code, 0);
            assertThat(length).isEqualTo((5 + Huffman.bits((byte) symbol) + 6 + 7) / 8);
            byte[] out = new byte[Huffman.mostDecoded(length)];
            assertThat(Huffman.decode(code, 0, length, out)).isEqualTo(3);
            assertThat(out).startsWith(plain);
        }
    }

    @Test
    void entryLargerThanTheTableEmptiesIt() {
        assertThat(decode("3f03" + SMALL)).isTrue();
        assertThat(decoder.table().count()).isEqualTo(1);
        assertThat(decode("400161026262")).isTrue();
        assertThat(fields).containsExactly("a: bb");
        assertThat(decoder.table().count()).isZero();
        assertThat(decoder.table().bytes()).isZero();
    }

    @Test
    void nameOutlivesTheEntryThatItsOwnFieldEvicts() {
        assertThat(decode("3f03" + SMALL + "7e0163" + "be")).isTrue();
        assertThat(fields).containsExactly("a: b", "a: c", "a: c");
        assertThat(decoder.table().count()).isEqualTo(1);
    }

    @Test
    void oldestEntriesAreEvictedFirstHoweverOftenTheQueueWrapsAround() {
        HpackTable table = new HpackTable(4096);
        List<String> expected = new ArrayList<>();
        int bytes = 0;
        for (int i = 0; i < 3000; i++) {
            if (i % 500 == 499) {
                table.limit(i % 1000 == 999 ? 4096 : 512);
            }
            String value = "v".repeat(i * 7 % 60) + i;
            table.add(new HttpString("n"), value);
            expected.add(0, value);
            bytes += 33 + value.length();
            while (bytes > table.limit()) {
                bytes -= 33 + expected.remove(expected.size() - 1).length();
            }
            assertThat(table.bytes()).isEqualTo(bytes);
            assertThat(table.count()).isEqualTo(expected.size());
            for (int entry = 0; entry < table.count(); entry++) {
                assertThat(table.value(entry)).isEqualTo(expected.get(entry));
            }
        }
    }

    @Test
    void whatIsRepeatedByIndexIsTheSameObject() {
        assertThat(decode(SMALL)).isTrue();
        List<Object> first = List.copyOf(objects);
        assertThat(decode("be")).isTrue();
        for (int i = 0; i < 2; i++) {
            assertThat(objects.get(i)).isSameAs(first.get(i));
        }
    }

    @Test
    void namesThatAreKnownAreConstants() {
        assertThat(decode("000f782d666f727761726465642d666f720161")).isTrue();
        Object name = objects.get(0);
        assertThat(name).hasToString("x-forwarded-for");
        HpackEncoder encoder = new HpackEncoder();
        encoder.start();
        encoder.field(new HttpString("X-Forwarded-For"), "a");
        assertThat(decode(encoder.bytes(), 0, encoder.length())).isTrue();
        assertThat(objects.get(0)).isSameAs(name);
    }

    @Test
    void spellingIsKept() {
        assertThat(decode("00034167650161" + "00036167650161")).isTrue();
        assertThat(fields).containsExactly("Age: a", "age: a");
    }

    @Test
    void namesMayBeEmptyOrHoldAnything() {
        assertThat(decode("00000161" + "00030d0a000162" + "0002612000")).isTrue();
        assertThat(fields).containsExactly(": a", "  \0: b", "a : ");
    }

    @Test
    void bombOfIndexedFieldsMakesNothingNew() {
        assertThat(decode("4001617f810f" + "62".repeat(2048))).isTrue();
        Object value = objects.get(1);
        assertThat(decode("be".repeat(16_384))).isTrue();
        assertThat(fields).hasSize(16_384);
        assertThat(objects.get(32_767)).isSameAs(value);
    }

    static List<String> blocks() {
        return HpackVectors.all().stream()
                .flatMap(vector -> vector.blocks().stream())
                .map(HpackVectors.Block::hex)
                .toList();
    }

    @ParameterizedTest
    @MethodSource("blocks")
    void everyTruncationHasAnAnswer(String hex) {
        byte[] block = HexFormat.of().parseHex("3fe11f" + SMALL + SMALL + hex);
        for (int length = 0; length < block.length; length++) {
            HpackDecoder own = new HpackDecoder(4096);
            own.decode(block, 0, length, (name, value) -> {});
            assertThat(own.table().bytes()).isBetween(0, 4096);
        }
    }

    @ParameterizedTest
    @MethodSource("blocks")
    void everyMutationOfAByteHasAnAnswer(String hex) {
        byte[] block = HexFormat.of().parseHex("3fe11f" + SMALL + SMALL + hex);
        for (int i = 0; i < block.length; i++) {
            byte original = block[i];
            for (int other = 0; other < 256; other++) {
                block[i] = (byte) other;
                HpackDecoder own = new HpackDecoder(4096);
                own.decode(block, 0, block.length, (name, value) -> {});
                assertThat(own.table().bytes()).isBetween(0, 4096);
            }
            block[i] = original;
        }
    }
}
