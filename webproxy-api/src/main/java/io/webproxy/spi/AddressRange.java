package io.webproxy.spi;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A range of IP addresses in CIDR form, such as {@code 10.0.0.0/8} or {@code 2001:db8::/32}. Immutable. */
public final class AddressRange {
    private static final Pattern PREFIX = Pattern.compile("0|[1-9][0-9]{0,2}");

    private final byte[] network;
    private final int prefix;

    private AddressRange(byte[] network, int prefix) {
        this.network = network;
        this.prefix = prefix;
    }

    /**
     * Reads an address or a range; an address alone is a range of one. Bits after the prefix must be zero.
     *
     * @throws IllegalArgumentException if it is neither
     */
    public static AddressRange of(String cidr) {
        Objects.requireNonNull(cidr, "cidr");
        int slash = cidr.indexOf('/');
        String address = slash < 0 ? cidr : cidr.substring(0, slash);
        InetAddress parsed = address.startsWith("[") ? null : IpLiteral.parse(address);
        if (parsed == null
                || (slash >= 0 && !PREFIX.matcher(cidr.substring(slash + 1)).matches())) {
            throw invalid(cidr);
        }
        byte[] bytes = parsed.getAddress();
        int prefix = slash < 0 ? bytes.length * 8 : Integer.parseInt(cidr.substring(slash + 1));
        if (prefix > bytes.length * 8 || hasHostBits(bytes, prefix)) {
            throw invalid(cidr);
        }
        return new AddressRange(bytes, prefix);
    }

    /** Whether an address lies in this range; an IPv4-mapped IPv6 address counts as IPv4. */
    public boolean contains(InetAddress address) {
        byte[] other = bytesOf(address);
        if (other.length != network.length) {
            return false;
        }
        for (int bit = 0; bit < prefix; bit += 8) {
            int mask = prefix - bit >= 8 ? 0xff : 0xff << (8 - (prefix - bit)) & 0xff;
            if (((network[bit / 8] ^ other[bit / 8]) & mask) != 0) {
                return false;
            }
        }
        return true;
    }

    /** Whether an address lies in any of these ranges; in none, if there are none. */
    public static boolean anyContains(List<AddressRange> ranges, InetAddress address) {
        // for every connection or request: no iterator
        for (int i = 0; i < ranges.size(); i++) {
            if (ranges.get(i).contains(address)) {
                return true;
            }
        }
        return false;
    }

    /**
     * The unit that counts as one client: an IPv4 address, or an IPv6 network of 64 bits, which usually belongs to one
     * customer.
     */
    public static AddressRange clientOf(InetAddress address) {
        byte[] bytes = bytesOf(address);
        if (bytes.length == 4) {
            return new AddressRange(bytes, 32);
        }
        Arrays.fill(bytes, 8, 16, (byte) 0);
        return new AddressRange(bytes, 64);
    }

    /** The JDK makes IPv4 of an IPv4-mapped address (RFC 4291 section 2.5.5.2), unless a scope was given with it. */
    private static byte[] bytesOf(InetAddress address) {
        byte[] bytes = address.getAddress();
        boolean mapped = bytes.length == 16 && bytes[10] == -1 && bytes[11] == -1;
        for (int i = 0; mapped && i < 10; i++) {
            mapped = bytes[i] == 0;
        }
        return mapped ? Arrays.copyOfRange(bytes, 12, 16) : bytes;
    }

    private static boolean hasHostBits(byte[] bytes, int prefix) {
        for (int bit = prefix; bit < bytes.length * 8; bit++) {
            if ((bytes[bit / 8] >> (7 - bit % 8) & 1) != 0) {
                return true;
            }
        }
        return false;
    }

    private static IllegalArgumentException invalid(String cidr) {
        return new IllegalArgumentException("address range: " + cidr
                + " (expected: an IP address, or a range such as 10.0.0.0/8 with zeros after the prefix)");
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof AddressRange range && prefix == range.prefix && Arrays.equals(network, range.network);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(network) + prefix;
    }

    @Override
    public String toString() {
        try {
            return IpLiteral.text(InetAddress.getByAddress(network)) + "/" + prefix;
        } catch (UnknownHostException e) {
            throw new IllegalStateException(e);
        }
    }
}
