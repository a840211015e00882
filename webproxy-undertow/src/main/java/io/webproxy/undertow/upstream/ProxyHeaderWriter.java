package io.webproxy.undertow.upstream;

import io.webproxy.spi.IpLiteral;
import io.webproxy.spi.ProxyHeaderVersion;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Builds PROXY headers (HAProxy's proxy-protocol.txt, sections 2.1 and 2.2). Pure. */
public final class ProxyHeaderWriter {
    private static final byte[] SIGNATURE = {'\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n'};
    private static final byte LOCAL = 0x20;
    private static final byte PROXY = 0x21;
    private static final byte TCP_IPV4 = 0x11;
    private static final byte TCP_IPV6 = 0x21;

    private ProxyHeaderWriter() {}

    /** The header for a client that connected to the proxy at a local address. */
    public static ByteBuffer proxied(ProxyHeaderVersion version, InetSocketAddress client, InetSocketAddress local) {
        // both have the same family: otherwise the IPv4 address is written as an IPv4-mapped one
        boolean ipv4 = client.getAddress() instanceof Inet4Address && local.getAddress() instanceof Inet4Address;
        if (version == ProxyHeaderVersion.V1) {
            return line((ipv4 ? "TCP4 " : "TCP6 ") + text(client.getAddress(), ipv4) + " "
                    + text(local.getAddress(), ipv4) + " " + client.getPort() + " " + local.getPort());
        }
        byte[] source = bytes(client.getAddress(), ipv4);
        byte[] destination = bytes(local.getAddress(), ipv4);
        return binary(PROXY, ipv4 ? TCP_IPV4 : TCP_IPV6, 2 * source.length + 4)
                .put(source)
                .put(destination)
                .putShort((short) client.getPort())
                .putShort((short) local.getPort())
                .flip();
    }

    /** The header for a connection of the proxy's own, such as a health check. */
    static ByteBuffer own(ProxyHeaderVersion version) {
        return version == ProxyHeaderVersion.V1
                ? line("UNKNOWN")
                : binary(LOCAL, (byte) 0, 0).flip();
    }

    private static ByteBuffer line(String what) {
        return ByteBuffer.wrap(("PROXY " + what + "\r\n").getBytes(StandardCharsets.US_ASCII));
    }

    private static ByteBuffer binary(byte command, byte family, int length) {
        return ByteBuffer.allocate(SIGNATURE.length + 4 + length)
                .put(SIGNATURE)
                .put(command)
                .put(family)
                .putShort((short) length);
    }

    private static String text(InetAddress address, boolean ipv4) {
        String text = IpLiteral.text(address);
        return ipv4 || !(address instanceof Inet4Address) ? text : "::ffff:" + text;
    }

    private static byte[] bytes(InetAddress address, boolean ipv4) {
        byte[] bytes = address.getAddress();
        if (ipv4 || bytes.length == 16) {
            return bytes;
        }
        return ByteBuffer.allocate(16)
                .putShort(10, (short) 0xffff)
                .position(12)
                .put(bytes)
                .array();
    }
}
