package io.webproxy.acme.certificate;

import java.net.InetAddress;

/** The name of an address in the reverse zones (RFC 1035 section 3.5, RFC 3596 section 2.5). */
public final class ReverseName {
    private ReverseName() {}

    /** Such as {@code 1.2.0.192.in-addr.arpa}, which a CA sends as SNI (RFC 8738 section 6). */
    public static String of(InetAddress address) {
        byte[] bytes = address.getAddress();
        StringBuilder name = new StringBuilder();
        for (int i = bytes.length - 1; i >= 0; i--) {
            if (bytes.length == 4) {
                name.append(bytes[i] & 0xff).append('.');
            } else {
                name.append(Character.forDigit(bytes[i] & 0xf, 16)).append('.');
                name.append(Character.forDigit((bytes[i] >> 4) & 0xf, 16)).append('.');
            }
        }
        return name.append(bytes.length == 4 ? "in-addr.arpa" : "ip6.arpa").toString();
    }
}
