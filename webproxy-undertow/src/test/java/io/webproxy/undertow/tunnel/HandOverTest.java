package io.webproxy.undertow.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.spi.TlsProvider;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.TestProxy;
import java.nio.file.Path;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A visitor gets through both sides to the inner server, whose TLS it is. */
@ExtendWith(LeakCheck.class)
class HandOverTest {
    @TempDir
    private Path directory;

    @ParameterizedTest
    @EnumSource(TlsProvider.class)
    void visitorSpeaksTlsWithTheInnerServer(TlsProvider provider) throws Exception {
        try (RawUpstream inner = InnerTls.echoing();
                TunnelRig rig = new TunnelRig(directory, provider, "alice names=*.example.com")) {
            rig.connected(rig.tunnel("alice").announce("db.example.com", "127.0.0.1:" + inner.port()));
            for (int i = 0; i < 40; i++) {
                try (RawConnection visitor = RawConnection.openTlsFor(
                        "db.example.com", rig.port(), TestProxy.trust().sslSocketFactory(), "http/1.1")) {
                    visitor.send("hello " + i + "\n");
                    assertThat(visitor.readLine()).isEqualTo("hello " + i + "\n");
                }
            }
        }
    }
}
