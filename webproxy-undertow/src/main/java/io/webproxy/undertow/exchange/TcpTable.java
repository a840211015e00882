package io.webproxy.undertow.exchange;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteOrder;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Reads the TCP connections that Linux lists in {@code /proc/net/tcp} and {@code /proc/net/tcp6}, line by line. Pure;
 * an IPv4-mapped address is the IPv4 one.
 */
final class TcpTable {
    private static final boolean LITTLE_ENDIAN = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;
    private static final String MAPPED = LITTLE_ENDIAN ? "0000000000000000FFFF0000" : "00000000000000000000FFFF";
    private static final String CLOSE_WAIT = "08";
    private static final int TIMER_RETRANSMIT = 1;
    private static final int TIMER_PROBE = 4;
    private static final int LONGEST_LINE = 1000;

    /**
     * One connection.
     *
     * @param key identifies its addresses, see {@link #key}
     * @param unanswered number of consecutive retransmissions, or probes of a peer with a full window, without an
     *     answer
     * @param ended whether the peer has closed its direction, even if bytes are still unread
     */
    record Row(String key, int unanswered, boolean ended) {}

    private TcpTable() {}

    /** Identifies a connection in the table; null if an address isn't resolved. */
    static @Nullable String key(InetSocketAddress local, InetSocketAddress remote) {
        InetAddress from = local.getAddress();
        InetAddress to = remote.getAddress();
        return from == null || to == null
                ? null
                : end(from.getAddress(), local.getPort()) + " " + end(to.getAddress(), remote.getPort());
    }

    private static String end(byte[] address, int port) {
        StringBuilder hex = new StringBuilder(address.length * 2 + 5);
        // the kernel prints 32-bit words in their memory order
        for (int i = 0; i < address.length; i++) {
            int at = LITTLE_ENDIAN ? (i & ~3) + 3 - (i & 3) : i;
            hex.append(String.format(Locale.ROOT, "%02X", address[at]));
        }
        return hex.append(String.format(Locale.ROOT, ":%04X", port)).toString();
    }

    /** The {@link #key} of a line's connection, without parsing the rest; null if the line describes none. */
    static @Nullable String keyOf(String line) {
        int local = line.indexOf(": ") + 2;
        int remote = line.indexOf(' ', local) + 1;
        int end = line.indexOf(' ', remote);
        return local < 2 || remote == 0 || end < 0
                ? null
                : unmapped(line.substring(local, remote - 1)) + " " + unmapped(line.substring(remote, end));
    }

    /** Parses a line; null if it describes no connection. */
    static @Nullable Row row(String line) {
        if (line.length() > LONGEST_LINE) {
            return null;
        }
        String[] words = line.strip().split("\\s+", -1);
        if (words.length < 9 || !words[0].endsWith(":") || words[5].length() != 11) {
            return null;
        }
        try {
            int timer = Integer.parseInt(words[5].substring(0, 2), 16);
            int retransmits = Integer.parseUnsignedInt(words[6], 16);
            int probes = Integer.parseUnsignedInt(words[8]);
            int unanswered = timer == TIMER_RETRANSMIT ? retransmits : timer == TIMER_PROBE ? probes : 0;
            return new Row(unmapped(words[1]) + " " + unmapped(words[2]), unanswered, words[3].equals(CLOSE_WAIT));
        } catch (NumberFormatException e) {
            return null;
        }
    }

    private static String unmapped(String end) {
        return end.startsWith(MAPPED) ? end.substring(MAPPED.length()) : end;
    }
}
