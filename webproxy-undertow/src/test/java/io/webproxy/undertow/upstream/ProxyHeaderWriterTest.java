package io.webproxy.undertow.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.spi.ProxyHeaderVersion;
import io.webproxy.undertow.sniff.ProxyHeader;
import io.webproxy.undertow.sniff.ProxyHeaderParser;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is written is read as the same, by the parser for what others write. */
class ProxyHeaderWriterTest {
    @ParameterizedTest
    @EnumSource(ProxyHeaderVersion.class)
    void everyFamilyIsReadAsItWasWritten(ProxyHeaderVersion version) {
        for (String client : new String[] {"192.0.2.1", "2001:db8::1"}) {
            for (String local : new String[] {"127.0.0.1", "::1"}) {
                InetSocketAddress source = new InetSocketAddress(client, 65_535);
                ByteBuffer header = ProxyHeaderWriter.proxied(version, source, new InetSocketAddress(local, 443));
                int length = header.remaining();
                assertThat(ProxyHeaderParser.parse(header)).isEqualTo(new ProxyHeader.Complete(length, source));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProxyHeaderVersion.class)
    void ownConnectionsNameNoClient(ProxyHeaderVersion version) {
        ByteBuffer header = ProxyHeaderWriter.own(version);
        assertThat(ProxyHeaderParser.parse(header)).isEqualTo(new ProxyHeader.Complete(header.remaining(), null));
    }
}
