package io.webproxy.spi;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How many client connections may be open at once; further ones are closed as soon as they are accepted, without effect
 * on the others. Immutable; start from {@link #defaults()}.
 *
 * <p>In addition, clients can't use an eighth of the process's limit of open files, at least 48 and at most 1,024.
 */
public final class ConnectionLimits {
    private static final int MOST = 10_000_000;
    private static final ConnectionLimits DEFAULTS = new ConnectionLimits(0, 16_384, List.of());

    private final int total;
    private final int perAddress;
    private final List<AddressRange> exempt;

    private ConnectionLimits(int total, int perAddress, List<AddressRange> exempt) {
        this.total = checked("total", total);
        this.perAddress = checked("perAddress", perAddress);
        this.exempt = exempt;
    }

    /** 65,536, or fewer if the process has less room, 16,384 of them from one address; no address is exempt. */
    public static ConnectionLimits defaults() {
        return DEFAULTS;
    }

    /** The same with another limit over all, at most 10,000,000; 0 for 65,536. */
    public ConnectionLimits withTotal(int connections) {
        return new ConnectionLimits(connections, perAddress, exempt);
    }

    /** The same with another limit for each address, at most 10,000,000; 0 for none. */
    public ConnectionLimits withPerAddress(int connections) {
        return new ConnectionLimits(total, connections, exempt);
    }

    /**
     * The same with other addresses exempt from the limit for each address.
     *
     * @param ranges addresses, or ranges such as {@code 10.0.0.0/8}
     */
    public ConnectionLimits withExempt(String... ranges) {
        List<AddressRange> others = new ArrayList<>();
        for (String range : Objects.requireNonNull(ranges, "ranges")) {
            others.add(AddressRange.of(range));
        }
        return new ConnectionLimits(total, perAddress, List.copyOf(others));
    }

    /** How many may be open over all endpoints; 0 for 65,536. */
    public int total() {
        return total;
    }

    /**
     * How many may be open from one client address, an IPv6 network of 64 bits counting as one; 0 for no such limit.
     */
    public int perAddress() {
        return perAddress;
    }

    /** Addresses without the limit of {@link #perAddress()}; trusted proxies are always exempt. */
    public List<AddressRange> exempt() {
        return exempt;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ConnectionLimits limits
                && total == limits.total
                && perAddress == limits.perAddress
                && exempt.equals(limits.exempt);
    }

    @Override
    public int hashCode() {
        return Objects.hash(total, perAddress, exempt);
    }

    @Override
    public String toString() {
        return "ConnectionLimits[total=" + total + ", perAddress=" + perAddress + ", exempt=" + exempt + "]";
    }

    private static int checked(String name, int value) {
        if (value < 0 || value > MOST) {
            throw new IllegalArgumentException("connections." + name + ": " + value + " (expected: 0-" + MOST + ")");
        }
        return value;
    }
}
