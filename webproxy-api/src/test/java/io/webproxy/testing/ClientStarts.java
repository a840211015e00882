package io.webproxy.testing;

import static io.webproxy.testing.ByteInputs.bytes;
import static io.webproxy.testing.Hellos.joined;
import static io.webproxy.testing.Hellos.protocols;
import static io.webproxy.testing.Hellos.serverName;
import static java.util.Objects.requireNonNull;

import io.webproxy.port.BytePattern;
import io.webproxy.port.PortBuilder;
import io.webproxy.port.Sni;
import java.io.IOException;
import java.io.InputStream;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.UnaryOperator;

/** What clients of each protocol that a port can tell apart send first, and a port that tells them apart. */
public final class ClientStarts {
    private ClientStarts() {}

    /**
     * A relay of each kind; no two of them match the same bytes, so their order doesn't matter.
     *
     * @param target where a rule of this name relays to
     */
    public static PortBuilder rules(PortBuilder port, UnaryOperator<String> target) {
        return port.ssh(target.apply("ssh"))
                .tls(Sni.of("www.example.com").alpn("h2"), target.apply("tls:www.example.com/h2"))
                .tls(Sni.of("db.example.com"), target.apply("tls:db.example.com"))
                .tls(Sni.of("*.inner.example.com"), target.apply("tls:*.inner.example.com"))
                .tls(Sni.none(), target.apply("tls:no-sni"))
                .http(target.apply("http"))
                .socks5(target.apply("socks5"))
                .openVpn(target.apply("openvpn"))
                .postgreSql(target.apply("postgresql"))
                .proxyHeader(target.apply("proxy-header"))
                .match("late", BytePattern.of("be ef").at(1).mask("ff 0f"), target.apply("late"));
    }

    /** The first bytes of clients, and the name of the rule that takes them. */
    public static Map<byte[], String> all() throws IOException {
        Map<byte[], String> clients = new LinkedHashMap<>();
        clients.put(bytes("SSH-2.0-OpenSSH_10.0p2 Debian-7\r\n"), "ssh");
        clients.put(bytes("SSH-1.99-x\n"), "ssh");
        try (InputStream recorded =
                ClientStarts.class.getResourceAsStream("/io/webproxy/undertow/sniff/hellos/chromium")) {
            clients.put(requireNonNull(recorded).readAllBytes(), "tls:www.example.com/h2");
        }
        clients.put(Hellos.with(serverName("DB.Example.com.")), "tls:db.example.com");
        clients.put(Hellos.inRecords(Hellos.with(serverName("a.inner.example.com")), 3), "tls:*.inner.example.com");
        clients.put(Hellos.with(protocols("h2")), "tls:no-sni");
        clients.put(bytes("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), "http");
        clients.put(bytes("\r\nPROPFIND http://a/ HTTP/1.1\r\n"), "http");
        clients.put(bytes("OPTIONS * HTTP/1.1\r\n"), "http");
        clients.put(bytes("CONNECT a.example:443 HTTP/1.1\r\n"), "http");
        clients.put(bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "http");
        clients.put(bytes("\5\2\0\2"), "socks5");
        clients.put(bytes("\5\1\0"), "socks5");
        clients.put(bytes("\0\16\70abcdefgh\0\0\0\0\0"), "openvpn");
        clients.put(joined(bytes("\1\150\120"), new byte[0x168 - 1]), "openvpn");
        // OpenVPN 2.6 with tls-auth
        clients.put(
                HexFormat.of()
                        .parseHex(
                                "002a387b5c78e9d38b76b91d2d891139272e7afeca5aebc044eb567956d649000000016b0caffb0000000000"),
                "openvpn");
        clients.put(bytes("\0\0\0\10\4\u00d2\26\57"), "postgresql");
        clients.put(bytes("\0\0\0\10\4\u00d2\26\60"), "postgresql");
        clients.put(bytes("\0\0\0\20\4\u00d2\26\56\0\0\0\1\1\2\3\4"), "postgresql");
        clients.put(bytes("\0\0\0\21\0\3\0\0user\0a\0\0\0"), "postgresql");
        clients.put(bytes("\0\0\0\21\0\3\0\2user\0a\0\0\0"), "postgresql");
        // psql 15 without TLS
        clients.put(bytes("\0\0\0\61\0\3\0\0user\0a\0database\0b\0application_name\0psql\0\0"), "postgresql");
        clients.put(bytes("PROXY TCP4 192.0.2.1 127.0.0.1 4711 80\r\n"), "proxy-header");
        clients.put(bytes("\r\n\r\n\0\r\nQUIT\n\41\21\0\14\u00c0\0\2\1\u007f\0\0\1\22\147\0\120"), "proxy-header");
        clients.put(bytes("a\u00be\u00bfrest"), "late");
        return clients;
    }
}
