package io.webproxy.samples;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.testing.FreePorts;
import io.webproxy.testing.LeakCheck;
import io.webproxy.testing.RawConnection;
import java.util.ArrayList;
import java.util.List;
import okhttp3.Credentials;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LeakCheck.class)
@Timeout(60)
class CliStatusTest {
    private final int port = FreePorts.next();

    private Served demo(String bound, String... more) {
        List<String> arguments =
                new ArrayList<>(List.of("demo", "--external-port", "0", "--bind", "127.0.0.1", "--plain"));
        arguments.addAll(List.of("--status", bound + ":" + port));
        arguments.addAll(List.of(more));
        return Served.start(arguments.toArray(String[]::new));
    }

    private String get(String path, String... fields) throws Exception {
        try (RawConnection raw = RawConnection.open(port)) {
            raw.send("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
                    + String.join("", List.of(fields)) + "\r\n");
            return raw.readAll();
        }
    }

    @Test
    void showsTheDemoAtAnAddressOfItsOwn() throws Exception {
        try (Served demo = demo("127.0.0.1")) {
            assertThat(demo.port()).isPositive();
            assertThat(get("/")).startsWith("HTTP/1.1 200 ").contains("<title>webproxy status</title>");
            assertThat(get("/status.json")).contains("\"version\":1,", "\"name\":\"status\"");
            assertThat(get("/api/hello")).startsWith("HTTP/1.1 404 ");
        }
    }

    @Test
    void anAddressThatIsNotLoopbackNeedsTheCredentials() throws Exception {
        try (Served demo = demo("0.0.0.0", "--user", "alice", "--password", "p4ss")) {
            assertThat(demo.port()).isPositive();
            assertThat(get("/status.json")).startsWith("HTTP/1.1 401 ");
            assertThat(get("/status.json", "Authorization: " + Credentials.basic("alice", "p4ss") + "\r\n"))
                    .startsWith("HTTP/1.1 200 ");
        }
    }
}
