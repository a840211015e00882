package io.webproxy.port;

import io.webproxy.spi.HostPattern;
import io.webproxy.spi.IpLiteral;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Selects the TLS connections of a port rule: by the server name (RFC 6066 section 3) and by the application protocols
 * (ALPN, RFC 7301) in the ClientHello. Immutable.
 */
public final class Sni {
    private static final Sni ANY = new Sni(null, false, Set.of());
    private static final Sni NONE = new Sni(null, true, Set.of());
    /** The form of registered protocols; RFC 7301 allows any bytes. */
    private static final Pattern PROTOCOL = Pattern.compile("[!-~]{1,255}");

    private final @Nullable HostPattern name;
    private final boolean none;
    private final Set<String> protocols;

    private Sni(@Nullable HostPattern name, boolean none, Set<String> protocols) {
        this.name = name;
        this.none = none;
        this.protocols = protocols;
    }

    /**
     * Clients that name this server. The name is the one that is sent in cleartext: with Encrypted ClientHello, the
     * outer one.
     *
     * @param pattern a name such as {@code db.example.com}, or {@code *.example.com} for all names one level below;
     *     case and a trailing dot don't matter, internationalised names become A-labels
     * @throws IllegalArgumentException if it is neither, or an IP address, which clients never send as a server name
     */
    public static Sni of(String pattern) {
        String text = Objects.requireNonNull(pattern, "sni").strip();
        HostPattern host;
        try {
            host = HostPattern.of(text);
        } catch (IllegalArgumentException e) {
            throw invalid(pattern);
        }
        if (text.indexOf(':') >= 0 || IpLiteral.parse(text) != null) {
            throw invalid(pattern);
        }
        return new Sni(host, false, Set.of());
    }

    private static IllegalArgumentException invalid(String pattern) {
        return new IllegalArgumentException(
                "sni: '" + pattern + "' (expected: a server name such as db.example.com, or *.example.com)");
    }

    /** All clients, with or without a server name. */
    public static Sni any() {
        return ANY;
    }

    /** Clients that send no server name, as those do that connect by IP address. */
    public static Sni none() {
        return NONE;
    }

    /**
     * Restricts this to clients that offer at least one of these application protocols; replaces earlier ones.
     *
     * @param names such as {@code h2}, 1 to 255 visible ASCII characters each; case matters
     * @throws IllegalArgumentException if none is given, or one is anything else
     */
    public Sni alpn(String... names) {
        Set<String> wanted = new LinkedHashSet<>();
        for (String protocol : Objects.requireNonNull(names, "alpn")) {
            if (!PROTOCOL.matcher(Objects.requireNonNull(protocol, "alpn")).matches()) {
                throw new IllegalArgumentException(
                        "alpn: '" + protocol + "' (expected: 1-255 visible ASCII characters, such as h2 or http/1.1)");
            }
            wanted.add(protocol);
        }
        if (wanted.isEmpty()) {
            throw new IllegalArgumentException("alpn: none (expected: at least one protocol, such as h2)");
        }
        return new Sni(name, none, Set.copyOf(wanted));
    }

    /**
     * Whether a ClientHello matches.
     *
     * @param serverName the client's server name, in any case, with or without a trailing dot; null if it sends none,
     *     empty if it isn't a valid host name
     * @param offered the client's ALPN protocols
     */
    public boolean matches(@Nullable String serverName, List<String> offered) {
        return matchesName(serverName)
                && (protocols.isEmpty() || offered.stream().anyMatch(protocols::contains));
    }

    private boolean matchesName(@Nullable String serverName) {
        if (none || serverName == null) {
            return none ? serverName == null : name == null;
        }
        if (name == null) {
            return true;
        }
        int end = serverName.length() - (serverName.endsWith(".") ? 1 : 0);
        return name.matches(serverName.substring(0, end).toLowerCase(Locale.ROOT));
    }

    /** Whether this matches every ClientHello that the other one matches. */
    boolean covers(Sni other) {
        return coversName(other)
                && (protocols.isEmpty() || (!other.protocols.isEmpty() && protocols.containsAll(other.protocols)));
    }

    private boolean coversName(Sni other) {
        if (none || name == null) {
            return !none || other.none;
        }
        return other.name != null
                && (name.equals(other.name) || (!other.name.isWildcard() && name.matches(other.name.toString())));
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Sni that
                && none == that.none
                && Objects.equals(name, that.name)
                && protocols.equals(that.protocols);
    }

    @Override
    public int hashCode() {
        return Objects.hash(name, none, protocols);
    }

    /** The pattern, {@code no-sni} or {@code any}; then {@code /} and the protocols, if there are any. */
    @Override
    public String toString() {
        String text = none ? "no-sni" : name == null ? "any" : name.toString();
        List<String> sorted = new ArrayList<>(protocols);
        sorted.sort(null);
        return sorted.isEmpty() ? text : text + "/" + String.join(",", sorted);
    }
}
