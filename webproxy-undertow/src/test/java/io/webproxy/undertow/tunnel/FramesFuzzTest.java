package io.webproxy.undertow.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.webproxy.undertow.tunnel.FrameReader.Step;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Any bytes on a control channel, and any agents file. */
class FramesFuzzTest {
    @FuzzTest
    void frames(byte[] input) {
        assertThat(read(input, input.length)).isEqualTo(read(input, 1)).isEqualTo(read(input, 7));
    }

    /** The steps by what they say: arrays within have no equals. */
    private static List<String> read(byte[] input, int piece) {
        FrameReader reader = new FrameReader();
        List<String> steps = new ArrayList<>();
        for (int at = 0; at < input.length; at += piece) {
            ByteBuffer bytes = ByteBuffer.wrap(input, at, Math.min(piece, input.length - at));
            while (bytes.hasRemaining()) {
                Step step = reader.feed(bytes);
                if (step instanceof Step.Malformed malformed) {
                    steps.add(malformed.reason());
                    return steps;
                }
                if (step instanceof Step.Whole whole) {
                    // what was understood can be said again
                    assertThat(Frames.of(whole.message()).limit()).isLessThanOrEqualTo(4 + Frames.MAX_FRAME);
                    steps.add(whole.message().getClass().getSimpleName());
                }
            }
            assertThat(reader.held()).isLessThanOrEqualTo(Frames.MAX_FRAME);
        }
        return steps;
    }

    @FuzzTest
    void agentsFile(byte[] input) {
        AgentsFile.Parsed parsed = AgentsFile.parse(new String(input, StandardCharsets.UTF_8));
        assertThat(parsed.agents().stream().map(AgentEntry::fingerprint)).doesNotHaveDuplicates();
        parsed.agents()
                .forEach(agent -> assertThat(agent.names())
                        .allSatisfy(name -> assertThat(name.toString()).doesNotMatch("\\*(\\.[^.]*)?")));
    }
}
