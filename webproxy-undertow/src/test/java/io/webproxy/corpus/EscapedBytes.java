package io.webproxy.corpus;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * Bytes written as text: {@code ¶} is CRLF; {@code \r \n \t \0 \s \\} are CR, LF, tab, NUL, space and backslash,
 * {@code \x1f} is a byte, <code>\{300*ab}</code> is 300 times {@code ab}. Every other character stands for itself and
 * is ASCII.
 */
public final class EscapedBytes {
    private final String text;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private int at;

    private EscapedBytes(String text) {
        this.text = text;
    }

    /** The bytes that a text stands for. */
    public static byte[] parse(String text) {
        EscapedBytes bytes = new EscapedBytes(text);
        while (bytes.at < text.length()) {
            bytes.next();
        }
        return bytes.out.toByteArray();
    }

    /** The same as a text of characters up to 0xff. */
    public static String text(String text) {
        return new String(parse(text), StandardCharsets.ISO_8859_1);
    }

    private void next() {
        char c = text.charAt(at++);
        if (c == '¶') {
            out.write('\r');
            out.write('\n');
        } else if (c == '\\') {
            escape(text.charAt(at++));
        } else if (c < 0x7f) {
            out.write(c);
        } else {
            throw new IllegalArgumentException("character " + (int) c + " (expected: ASCII, ¶ or an escape)");
        }
    }

    private void escape(char kind) {
        switch (kind) {
            case 'r' -> out.write('\r');
            case 'n' -> out.write('\n');
            case 't' -> out.write('\t');
            case '0' -> out.write(0);
            case 's' -> out.write(' ');
            case '\\' -> out.write('\\');
            case 'x' -> {
                out.write(Integer.parseInt(text.substring(at, at + 2), 16));
                at += 2;
            }
            case '{' -> {
                int star = text.indexOf('*', at);
                int end = text.indexOf('}', star);
                byte[] piece = parse(text.substring(star + 1, end));
                int times = Integer.parseInt(text.substring(at, star));
                for (int i = 0; i < times; i++) {
                    out.writeBytes(piece);
                }
                at = end + 1;
            }
            default -> throw new IllegalArgumentException("\\" + kind + " (expected: one of r n t 0 s \\ x {)");
        }
    }
}
