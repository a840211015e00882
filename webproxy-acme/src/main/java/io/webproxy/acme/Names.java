package io.webproxy.acme;

import io.webproxy.http.IpLiteral;
import java.net.InetAddress;
import org.shredzone.acme4j.Identifier;

/** Names as a CA calls them. */
final class Names {
    private Names() {}

    static boolean isAddress(String name) {
        return IpLiteral.parse(name) != null;
    }

    static boolean isWildcard(String name) {
        return name.startsWith("*.");
    }

    /** The identifier of a name; an address as RFC 8738 section 3 wants it, by RFC 5952. */
    static Identifier identifier(String name) {
        InetAddress address = IpLiteral.parse(name);
        return address == null ? Identifier.dns(name) : new Identifier(Identifier.TYPE_IP, IpLiteral.text(address));
    }
}
