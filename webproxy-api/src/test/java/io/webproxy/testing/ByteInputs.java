package io.webproxy.testing;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Variants of an input for a byte parser: split anywhere, cut anywhere, with any byte changed. A failure names the
 * variant.
 */
public final class ByteInputs {
    private ByteInputs() {}

    /** The bytes of a text of characters up to 0xff. */
    public static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    /** The input in two and in three pieces, at every position, and byte by byte; pieces may be empty. */
    public static void everySplit(byte[] input, Consumer<List<byte[]>> check) {
        List<byte[]> single = new ArrayList<>();
        for (int i = 0; i < input.length; i++) {
            single.add(Arrays.copyOfRange(input, i, i + 1));
        }
        run(() -> "byte by byte", () -> check.accept(single));
        for (int a = 0; a <= input.length; a++) {
            for (int b = a; b <= input.length; b++) {
                List<byte[]> pieces = List.of(
                        Arrays.copyOf(input, a),
                        Arrays.copyOfRange(input, a, b),
                        Arrays.copyOfRange(input, b, input.length));
                int first = a;
                int second = b;
                run(() -> "split at " + first + " and " + second, () -> check.accept(pieces));
            }
        }
    }

    /** Every proper start of the input, the empty one too. */
    public static void everyTruncation(byte[] input, Consumer<byte[]> check) {
        for (int length = 0; length < input.length; length++) {
            byte[] cut = Arrays.copyOf(input, length);
            run(() -> "cut to " + cut.length, () -> check.accept(cut));
        }
    }

    /** The input with each byte set to each of its 256 values, one at a time. */
    public static void everyMutation(byte[] input, Consumer<byte[]> check) {
        for (int i = 0; i < input.length; i++) {
            for (int value = 0; value < 256; value++) {
                byte[] mutated = input.clone();
                mutated[i] = (byte) value;
                int at = i;
                run(() -> "byte " + at + " set to " + (mutated[at] & 0xff), () -> check.accept(mutated));
            }
        }
    }

    private static void run(Supplier<String> variant, Runnable check) {
        try {
            check.run();
        } catch (RuntimeException | AssertionError e) {
            throw new AssertionError(variant.get() + ": " + e, e);
        }
    }
}
