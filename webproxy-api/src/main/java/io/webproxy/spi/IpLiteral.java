package io.webproxy.spi;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Parses and formats IP addresses. Never looks up names, so it may be called on an IO thread. */
public final class IpLiteral {
    private static final String OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
    private static final Pattern IPV4 = Pattern.compile(OCTET + "(\\." + OCTET + "){3}");
    private static final Pattern IPV6 = Pattern.compile("[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*");

    private static final int GROUPS = 8;

    private IpLiteral() {}

    /**
     * Parses an address.
     *
     * @param text an IPv4 address, or an IPv6 address with or without brackets; no zone
     * @return null if it isn't an address
     */
    public static @Nullable InetAddress parse(String text) {
        boolean brackets = text.startsWith("[") && text.endsWith("]");
        String plain = brackets ? text.substring(1, text.length() - 1) : text;
        boolean ipv6 = IPV6.matcher(plain).matches();
        if (!ipv6 && (brackets || !IPV4.matcher(plain).matches())) {
            return null;
        }
        try {
            // neither form is ever looked up: a text with a colon is IPv6 or refused
            return InetAddress.getByName(plain);
        } catch (UnknownHostException e) {
            return null;
        }
    }

    /** Orders addresses by number, those of IPv4 first. */
    public static int compare(InetAddress one, InetAddress other) {
        byte[] bytes = one.getAddress();
        byte[] others = other.getAddress();
        return bytes.length == others.length ? Arrays.compareUnsigned(bytes, others) : bytes.length - others.length;
    }

    /**
     * The canonical text of an address: IPv6 compressed and in lower case (RFC 5952 section 4), without a zone and
     * without brackets.
     */
    public static String text(InetAddress address) {
        byte[] bytes = address.getAddress();
        if (bytes.length == 4) {
            return address.getHostAddress();
        }
        int[] groups = new int[GROUPS];
        for (int i = 0; i < GROUPS; i++) {
            groups[i] = (bytes[2 * i] & 0xff) << 8 | (bytes[2 * i + 1] & 0xff);
        }
        int start = -1;
        int length = 1;
        for (int i = 0; i < GROUPS; i++) {
            int zeros = 0;
            while (i + zeros < GROUPS && groups[i + zeros] == 0) {
                zeros++;
            }
            if (zeros > length) {
                start = i;
                length = zeros;
            }
            i += zeros;
        }
        StringBuilder text = new StringBuilder(39);
        for (int i = 0; i < GROUPS; i++) {
            if (i == start) {
                text.append("::");
                i += length - 1;
            } else {
                if (i > 0 && text.charAt(text.length() - 1) != ':') {
                    text.append(':');
                }
                text.append(Integer.toHexString(groups[i]));
            }
        }
        return text.toString();
    }
}
