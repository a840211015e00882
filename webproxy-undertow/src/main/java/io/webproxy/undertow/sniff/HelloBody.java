package io.webproxy.undertow.sniff;

import io.webproxy.undertow.sniff.Peeked.ClientHello;
import io.webproxy.undertow.sniff.Peeked.Malformed;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Parses the body of a ClientHello (RFC 8446 section 4.1.2), once. */
final class HelloBody {
    private static final int MAJOR_VERSION = 3;
    private static final int RANDOM = 32;
    private static final int MAX_SESSION_ID = 32;
    private static final int USUAL_EXTENSIONS = 24;
    private static final int SERVER_NAME = 0;
    private static final int SIGNATURE_ALGORITHMS = 13;
    private static final int ALPN = 16;
    private static final int SUPPORTED_VERSIONS = 43;
    private static final int HOST_NAME = 0;
    private static final int MAX_HOST_NAME = 253;

    private final Cursor in;
    private boolean repeated;
    private @Nullable String serverName;
    private List<String> protocols = List.of();
    private List<Integer> versions = List.of();
    private List<Integer> signatureAlgorithms = List.of();

    HelloBody(byte[] bytes, int start, int end) {
        in = new Cursor(bytes, start, end);
    }

    Peeked read() {
        int legacyVersion = in.number(2);
        versions = List.of(legacyVersion);
        in.skip(RANDOM);
        int body = in.enter(1);
        boolean longSession = in.remaining() > MAX_SESSION_ID;
        in.skipRest();
        in.leave(body);
        List<Integer> cipherSuites = numbers(2);
        // compression methods, one at least
        in.text(1);
        if (in.hasRemaining()) {
            // RFC 5246 section 7.4.1.2: there may be none
            extensions();
        }
        if (in.hasFailed() || in.hasRemaining() || longSession) {
            return new Malformed(Alerts.DECODE_ERROR, "a ClientHello that can't be decoded");
        }
        if (legacyVersion >> 8 != MAJOR_VERSION) {
            return new Malformed(Alerts.PROTOCOL_VERSION, "a ClientHello of an unknown version");
        }
        if (repeated) {
            return new Malformed(Alerts.ILLEGAL_PARAMETER, "a ClientHello that says the same thing twice");
        }
        return new ClientHello(serverName, protocols, versions, signatureAlgorithms, cipherSuites);
    }

    private void extensions() {
        int[] types = new int[USUAL_EXTENSIONS];
        int count = 0;
        int body = in.enter(2);
        while (in.hasRemaining()) {
            int type = in.number(2);
            if (count == types.length) {
                types = Arrays.copyOf(types, 2 * count);
            }
            types[count++] = type;
            int all = in.enter(2);
            switch (type) {
                case SERVER_NAME -> serverNames();
                case SIGNATURE_ALGORITHMS -> signatureAlgorithms = numbers(2);
                case ALPN -> protocols();
                case SUPPORTED_VERSIONS -> versions = numbers(1);
                default -> in.skipRest();
            }
            in.leave(all);
        }
        in.leave(body);
        // RFC 8446 section 4.2: each at most once
        Arrays.sort(types, 0, count);
        for (int i = 1; i < count; i++) {
            repeated |= types[i] == types[i - 1];
        }
    }

    /** RFC 6066 section 3: at most one name of a type; unknown types have the same form. */
    private void serverNames() {
        int extension = in.enter(2);
        boolean named = false;
        do {
            int kind = in.number(1);
            String name = in.text(2);
            if (kind == HOST_NAME) {
                repeated |= named;
                named = true;
                serverName = isHostName(name) ? name.toLowerCase(Locale.ROOT) : "";
            }
        } while (in.hasRemaining());
        in.leave(extension);
    }

    /** RFC 7301 section 3.1. */
    private void protocols() {
        List<String> names = new ArrayList<>();
        int extension = in.enter(2);
        do {
            names.add(in.text(1));
        } while (in.hasRemaining());
        in.leave(extension);
        protocols = names;
    }

    /** A vector of two-byte numbers, at least one. */
    private List<Integer> numbers(int width) {
        List<Integer> numbers = new ArrayList<>();
        int outer = in.enter(width);
        do {
            int number = in.number(2);
            if (!isGrease(number)) {
                numbers.add(number);
            }
        } while (in.hasRemaining());
        in.leave(outer);
        return numbers;
    }

    /** RFC 8701 section 2: {@code 0x0a0a}, {@code 0x1a1a} and so on. */
    private static boolean isGrease(int number) {
        return (number & 0x0f0f) == 0x0a0a && number >> 8 == (number & 0xff);
    }

    private static boolean isHostName(String name) {
        return name.length() <= MAX_HOST_NAME
                && name.chars()
                        .allMatch(c -> (c >= 'a' && c <= 'z')
                                || (c >= 'A' && c <= 'Z')
                                || (c >= '0' && c <= '9')
                                || c == '-'
                                || c == '.'
                                || c == '_');
    }
}
