package io.webproxy.undertow.http2;

/**
 * The Huffman code of HPACK (RFC 7541 appendix B). It is canonical: codes of one length are consecutive numbers in the
 * order of their symbols. So the lengths define it.
 */
final class Huffman {
    /** The length of each symbol's code, from symbol 0 on: A is 5 bits, B is 6 and so on. */
    private static final String LENGTHS_BY_LETTER =
            "ISXXXXXXXTZXXZXXXXXXXXZXXXXXXXXXBFFHIBDGFFDGDBBBAAABBBBBBBCDKBHFIBCCCCCCCCCCCCCCCCCCCCCCDCDIOIJBK"
                    + "ABABABBBACCBBBABCBAABCCCCCKGJIXPRPPRRRSRSSSSSTSTTRSTSSSSQRSRSSTRQPRRSSQSRRTQRSSQQRQSRSSPRRRSRRSVV"
                    + "PORSRUVVVWWVTUOQVWWVWTQQVVXWWWPTPQRQQSRRUUTTVSVWVVWWWWWXWWWWWV";

    private static final int SHORTEST = 5;
    private static final int LONGEST = 30;
    /** Codes of at most so many bits are looked up directly. */
    private static final int QUICK = 8;

    private static final byte[] LENGTHS = new byte[256];
    private static final int[] CODES = new int[256];
    /** By the next 8 bits: length and symbol; 0 if the code is longer. */
    private static final short[] SHORT = new short[1 << QUICK];
    /** The symbols in the order of their codes. */
    private static final byte[] SYMBOLS = new byte[256];
    /** By length: the first 30 bits that belong to no code of at most that length. */
    private static final int[] LIMITS = new int[LONGEST + 1];
    /** By length: the difference of a code and its symbol's index in {@link #SYMBOLS}. */
    private static final int[] OFFSETS = new int[LONGEST + 1];

    static {
        int code = 0;
        int place = 0;
        for (int length = SHORTEST; length <= LONGEST; length++) {
            OFFSETS[length] = place - code;
            for (int symbol = 0; symbol < 256; symbol++) {
                if (LENGTHS_BY_LETTER.charAt(symbol) - 'A' + SHORTEST == length) {
                    LENGTHS[symbol] = (byte) length;
                    CODES[symbol] = code;
                    SYMBOLS[place] = (byte) symbol;
                    for (int i = code << (QUICK - length); length <= QUICK && i < (code + 1) << (QUICK - length); i++) {
                        SHORT[i] = (short) ((length << 8) | symbol);
                    }
                    code++;
                    place++;
                }
            }
            LIMITS[length] = code << (LONGEST - length);
            code <<= 1;
        }
    }

    private Huffman() {}

    /** How many bits a symbol takes. */
    static int bits(byte symbol) {
        return LENGTHS[symbol & 0xff];
    }

    /** The maximum decoded size of so many encoded bytes. */
    static int mostDecoded(int encoded) {
        return (int) (encoded * 8L / SHORTEST);
    }

    /**
     * Decodes into {@code out}, which has room for {@link #mostDecoded}.
     *
     * @return the number of decoded bytes, or -1 if the input contains EOS, or padding of more than 7 bits or with bits
     *     other than EOS's (RFC 7541 section 5.2)
     */
    static int decode(byte[] in, int from, int to, byte[] out) {
        long bits = 0;
        int count = 0;
        int at = from;
        int length = 0;
        while (true) {
            while (count <= Long.SIZE - 8 && at < to) {
                bits |= (in[at++] & 0xffL) << (Long.SIZE - 8 - count);
                count += 8;
            }
            long next = count >= LONGEST ? bits : bits | (-1L >>> count);
            int found = SHORT[(int) (next >>> (Long.SIZE - QUICK))];
            if (found == 0) {
                found = longer((int) (next >>> (Long.SIZE - LONGEST)));
            }
            int used = found >> 8;
            if (used == 0 || used > count) {
                return count < 8 && next == -1 ? length : -1;
            }
            out[length++] = (byte) found;
            bits <<= used;
            count -= used;
        }
    }

    /** Length and symbol; 0 for EOS. */
    private static int longer(int bits) {
        for (int length = QUICK + 1; length <= LONGEST; length++) {
            if (bits < LIMITS[length]) {
                return (length << 8) | (SYMBOLS[(bits >> (LONGEST - length)) + OFFSETS[length]] & 0xff);
            }
        }
        return 0;
    }

    /**
     * Encodes; the caller knows the size by {@link #bits}.
     *
     * @return the end in {@code out}
     */
    static int encode(byte[] in, int from, int to, byte[] out, int at) {
        long bits = 0;
        int count = 0;
        int end = at;
        for (int i = from; i < to; i++) {
            int symbol = in[i] & 0xff;
            bits = (bits << LENGTHS[symbol]) | CODES[symbol];
            count += LENGTHS[symbol];
            while (count >= 8) {
                count -= 8;
                out[end++] = (byte) (bits >> count);
            }
        }
        if (count > 0) {
            out[end++] = (byte) ((bits << (8 - count)) | (0xff >> count));
        }
        return end;
    }
}
