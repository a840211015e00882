package io.webproxy.blackbox.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.testing.RawUpstream;
import io.webproxy.undertow.testing.Front;
import io.webproxy.undertow.testing.TestProxy;
import java.nio.file.Path;
import java.util.List;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import okhttp3.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Without LeakCheck: the recorder's thread stays. */
class FlightRecorderTest {
    @TempDir
    Path directory;

    private static RecordedEvent only(List<RecordedEvent> events, String name) {
        List<RecordedEvent> named = events.stream()
                .filter(event -> event.getEventType().getName().equals(name))
                .toList();
        assertThat(named).as(name).hasSize(1);
        return named.get(0);
    }

    @Test
    void exchangesHandshakesAndUpgradesAreRecorded() throws Exception {
        Path file = directory.resolve("events.jfr");
        try (Recording recording = new Recording();
                RawUpstream upstream = RawUpstream.answering(
                        "HTTP/1.1 200 OK¶Content-Type: text/event-stream¶" + "Content-Length: 2¶¶ok")) {
            recording.start();
            try (TestProxy proxy = TestProxy.start(
                    Front.H2_TLS, b -> b.route(r -> r.name("events").path("/").forward(upstream.uri())))) {
                try (Response response = proxy.get("/a?secret=1")) {
                    assertThat(response.body().string()).isEqualTo("ok");
                }
                proxy.record();
            }
            recording.stop();
            recording.dump(file);
        }
        List<RecordedEvent> events = RecordingFile.readAllEvents(file);
        RecordedEvent exchange = only(events, "io.webproxy.Exchange");
        assertThat(exchange.getString("method")).isEqualTo("GET");
        assertThat(exchange.getString("path")).isEqualTo("/a");
        assertThat(exchange.getInt("status")).isEqualTo(200);
        assertThat(exchange.getString("route")).isEqualTo("events");
        assertThat(exchange.getString("endClass")).isEqualTo("LONG");
        assertThat(exchange.getLong("bytesOut")).isEqualTo(2);
        assertThat(exchange.getDuration("total")).isPositive();
        assertThat(exchange.toString()).doesNotContain("secret");
        RecordedEvent handshake = only(events, "io.webproxy.Handshake");
        assertThat(handshake.getString("version")).isEqualTo("TLSv1.3");
        assertThat(handshake.getString("protocol")).isEqualTo("h2");
        assertThat(handshake.getBoolean("failed")).isFalse();
        assertThat(handshake.getBoolean("resumed")).isFalse();
        assertThat(handshake.getDuration("total")).isPositive();
        RecordedEvent upgrade = only(events, "io.webproxy.TimeoutClassUpgrade");
        assertThat(upgrade.getString("startClass")).isEqualTo("DEFAULT");
        assertThat(upgrade.getString("endClass")).isEqualTo("LONG");
        assertThat(upgrade.getString("requestId")).isEqualTo(exchange.getString("requestId"));
    }
}
