package io.webproxy.undertow.sniff;

import io.webproxy.spi.IpLiteral;
import io.webproxy.undertow.sniff.ProxyHeader.Complete;
import io.webproxy.undertow.sniff.ProxyHeader.Malformed;
import io.webproxy.undertow.sniff.ProxyHeader.Partial;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Parses PROXY headers, version 1 and 2. Pure and total; reads at most {@link #MAX_BYTES}, without consuming them. */
public final class ProxyHeaderParser {
    /** The longest header that is read: of version 2, whose additions (TLVs) are skipped. */
    public static final int MAX_BYTES = 4096;

    private static final byte[] V1 = "PROXY ".getBytes(StandardCharsets.US_ASCII);
    private static final int MAX_V1 = 107;
    private static final Pattern PORT = Pattern.compile("0|[1-9][0-9]{0,4}");

    private static final byte[] V2 = {'\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n'};
    private static final int V2_HEAD = 16;
    private static final int LOCAL = 0x20;
    private static final int PROXY = 0x21;
    private static final int UNIX = 3;
    /** Source and destination, then their ports, by family: none, IPv4, IPv6, and the paths of AF_UNIX. */
    private static final int[] ADDRESS_BYTES = {0, 12, 36, 216};

    private ProxyHeaderParser() {}

    /** Parses the bytes between position and limit. */
    public static ProxyHeader parse(ByteBuffer bytes) {
        ByteBuffer input = bytes.slice();
        if (begins(input, V2)) {
            return input.remaining() <= V2.length ? Partial.MORE : version2(input);
        }
        if (begins(input, V1)) {
            return input.remaining() < V1.length ? Partial.MORE : version1(input);
        }
        return Partial.NONE;
    }

    /** Whether the bytes and the signature agree, as far as both go. */
    private static boolean begins(ByteBuffer input, byte[] mark) {
        int length = Math.min(input.remaining(), mark.length);
        return input.slice(0, length).equals(ByteBuffer.wrap(mark, 0, length));
    }

    private static ProxyHeader version1(ByteBuffer input) {
        int length = Math.min(input.remaining(), MAX_V1);
        for (int i = V1.length; i < length; i++) {
            byte b = input.get(i);
            if (b == '\r') {
                if (i + 1 == length) {
                    return length < MAX_V1 ? Partial.MORE : new Malformed("a line that is too long");
                }
                byte[] line = new byte[i - V1.length];
                input.get(V1.length, line);
                return input.get(i + 1) == '\n'
                        ? line(new String(line, StandardCharsets.ISO_8859_1), i + 2)
                        : new Malformed("a CR without LF");
            }
            if (b < ' ' || b > '~') {
                return new Malformed("a line with controls");
            }
        }
        return length < MAX_V1 ? Partial.MORE : new Malformed("a line that is too long");
    }

    /** The rest of the line after {@code PROXY}. */
    private static ProxyHeader line(String line, int length) {
        String[] words = line.split(" ", -1);
        if (words[0].equals("UNKNOWN")) {
            return new Complete(length, null);
        }
        boolean ipv4 = words[0].equals("TCP4");
        if (words.length != 5 || (!ipv4 && !words[0].equals("TCP6"))) {
            return new Malformed("a line of another form");
        }
        InetAddress source = address(words[1], ipv4);
        int port = port(words[3]);
        return source == null || address(words[2], ipv4) == null || port < 0 || port(words[4]) < 0
                ? new Malformed("a malformed address")
                : new Complete(length, new InetSocketAddress(source, port));
    }

    private static @Nullable InetAddress address(String word, boolean ipv4) {
        return ipv4 == (word.indexOf(':') < 0) && !word.startsWith("[") ? IpLiteral.parse(word) : null;
    }

    private static int port(String word) {
        int port = PORT.matcher(word).matches() ? Integer.parseInt(word) : -1;
        return port > 0xffff ? -1 : port;
    }

    private static ProxyHeader version2(ByteBuffer input) {
        int command = input.get(V2.length) & 0xff;
        if (command != LOCAL && command != PROXY) {
            return new Malformed("an unknown version or command");
        }
        if (input.remaining() < V2_HEAD) {
            return Partial.MORE;
        }
        int family = input.get(13) >> 4 & 0xf;
        int transport = input.get(13) & 0xf;
        int block = input.getShort(14) & 0xffff;
        boolean foreign = family > UNIX || transport > 2;
        if (V2_HEAD + block > MAX_BYTES) {
            return new Malformed("a header that is too long");
        }
        if (command == PROXY && (foreign || block < ADDRESS_BYTES[family])) {
            return new Malformed("a malformed address");
        }
        if (input.remaining() < V2_HEAD + block) {
            return Partial.MORE;
        }
        // LOCAL means the proxy itself, whatever the address block says
        boolean ip = command == PROXY && transport != 0 && (family == 1 || family == 2);
        return new Complete(V2_HEAD + block, ip ? source(input, family == 1 ? 4 : 16) : null);
    }

    private static InetSocketAddress source(ByteBuffer input, int bytes) {
        byte[] address = new byte[bytes];
        input.get(V2_HEAD, address);
        int port = input.getShort(V2_HEAD + 2 * bytes) & 0xffff;
        try {
            return new InetSocketAddress(InetAddress.getByAddress(address), port);
        } catch (UnknownHostException e) {
            throw new IllegalStateException(e);
        }
    }
}
