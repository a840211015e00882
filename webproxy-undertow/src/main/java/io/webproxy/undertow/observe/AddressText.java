package io.webproxy.undertow.observe;

import io.webproxy.http.IpLiteral;
import java.net.InetAddress;

/** IP addresses as they stand in records, logs and fields. Pure. */
public final class AddressText {
    private AddressText() {}

    /** The canonical text of an address, without a zone. */
    public static String of(InetAddress address) {
        return IpLiteral.text(address);
    }
}
