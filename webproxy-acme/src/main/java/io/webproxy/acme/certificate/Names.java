package io.webproxy.acme.certificate;

import io.webproxy.spi.IpLiteral;
import java.net.InetAddress;
import org.shredzone.acme4j.Identifier;

/** Converts names to ACME identifiers. */
public final class Names {
    private Names() {}

    public static boolean isAddress(String name) {
        return IpLiteral.parse(name) != null;
    }

    public static boolean isWildcard(String name) {
        return name.startsWith("*.");
    }

    /** The identifier of a name; an address in the form of RFC 5952, as RFC 8738 section 3 requires. */
    public static Identifier identifier(String name) {
        InetAddress address = IpLiteral.parse(name);
        return address == null ? Identifier.dns(name) : new Identifier(Identifier.TYPE_IP, IpLiteral.text(address));
    }
}
