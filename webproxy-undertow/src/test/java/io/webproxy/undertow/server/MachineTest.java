package io.webproxy.undertow.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.FileInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class MachineTest {
    /** A backlog of its first digit would make clients that come together wait for a second. */
    @Test
    void backlogIsAllThatTheKernelAllows() throws Exception {
        Path limit = Path.of("/proc/sys/net/core/somaxconn");
        assumeTrue(Files.exists(limit));
        byte[] bytes = new byte[100];
        try (FileInputStream file = new FileInputStream(limit.toFile())) {
            int length = file.read(bytes);
            int all = Integer.parseInt(new String(bytes, 0, length, StandardCharsets.US_ASCII).strip());
            assertThat(Machine.backlog(0)).isEqualTo(all).isGreaterThan(9);
        }
    }

    @Test
    void givenBacklogIsUsed() {
        assertThat(Machine.backlog(7)).isEqualTo(7);
    }
}
