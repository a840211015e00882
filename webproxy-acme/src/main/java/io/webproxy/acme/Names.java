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
        return address == null ? Identifier.dns(name) : new Identifier(Identifier.TYPE_IP, text(address));
    }

    /** An address in its canonical text (RFC 5952 section 4): lower case, the longest run of zeros left out. */
    static String text(InetAddress address) {
        byte[] bytes = address.getAddress();
        if (bytes.length == 4) {
            return address.getHostAddress();
        }
        int[] groups = new int[8];
        int longest = 0;
        int start = -1;
        for (int i = 0, run = 0; i < 8; i++) {
            groups[i] = ((bytes[2 * i] & 0xff) << 8) | (bytes[2 * i + 1] & 0xff);
            run = groups[i] == 0 ? run + 1 : 0;
            if (run > longest && run > 1) {
                longest = run;
                start = i - run + 1;
            }
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 8; i++) {
            if (i == start) {
                text.append("::");
                i += longest - 1;
            } else {
                text.append(text.isEmpty() || text.charAt(text.length() - 1) == ':' ? "" : ":");
                text.append(Integer.toHexString(groups[i]));
            }
        }
        return text.toString();
    }
}
