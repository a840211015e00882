package io.webproxy.undertow.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.undertow.Undertow;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import java.net.InetSocketAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LeakCheck.class)
class NeverDrainedTest {
    /** Undertow would read the body to its end first, for as long as the client likes. */
    @Test
    void requestThatNoOneAnswersDoesNotWaitForItsBody() throws Exception {
        Undertow server = Undertow.builder()
                .addHttpListener(0, "127.0.0.1")
                .setIoThreads(1)
                .setHandler(http -> http.addDefaultResponseListener(NeverDrained.INSTANCE))
                .build();
        server.start();
        int port = ((InetSocketAddress) server.getListenerInfo().get(0).getAddress()).getPort();
        try (RawConnection client = RawConnection.open(port)) {
            client.send("POST / HTTP/1.1¶Host: a¶Content-Length: 100¶¶");
            assertThat(client.end()).isEqualTo("end");
        } finally {
            server.stop();
        }
    }
}
