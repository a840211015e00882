package io.webproxy.undertow.observe;

import io.webproxy.spi.IpLiteral;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/** Formats IP addresses for records, logs and fields. Pure. */
public final class AddressText {
    private AddressText() {}

    /** The canonical text of an address, without a zone. */
    public static String of(InetAddress address) {
        return IpLiteral.text(address);
    }

    /** Address and port, such as {@code [::1]:443}. */
    public static String of(@Nullable SocketAddress address) {
        if (!(address instanceof InetSocketAddress internet) || internet.isUnresolved()) {
            return String.valueOf(address);
        }
        String text = of(internet.getAddress());
        return (text.indexOf(':') < 0 ? text : "[" + text + "]") + ":" + internet.getPort();
    }
}
