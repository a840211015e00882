package io.webproxy.undertow.tls;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** IP addresses as text. Never asks DNS. */
final class IpLiteral {
    private static final String OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
    private static final Pattern IPV4 = Pattern.compile(OCTET + "(\\." + OCTET + "){3}");
    private static final Pattern IPV6 = Pattern.compile("[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*");

    private IpLiteral() {}

    /** The address, or null if the text is none; a zone ({@code %eth0}) is left out. */
    static @Nullable InetAddress parse(String text) {
        int zone = text.indexOf('%');
        String plain = zone < 0 ? text : text.substring(0, zone);
        try {
            if (IPV4.matcher(plain).matches()) {
                return InetAddress.getByName(plain);
            }
            // in brackets the JDK takes it for IPv6 or for nothing
            return IPV6.matcher(plain).matches() ? InetAddress.getByName("[" + plain + "]") : null;
        } catch (UnknownHostException e) {
            return null;
        }
    }
}
