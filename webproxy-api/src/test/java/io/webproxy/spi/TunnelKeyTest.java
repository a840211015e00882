package io.webproxy.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The identity of a side is whole, or is made whole, whenever the process that makes it is killed. */
class TunnelKeyTest {
    @TempDir
    private Path directory;

    private Path key() {
        return directory.resolve("alice.key");
    }

    private Path certificate() {
        return directory.resolve("alice.crt");
    }

    private List<String> files() throws IOException {
        try (Stream<Path> all = Files.list(directory)) {
            return all.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void twoFilesAreMadeAndNothingElse() throws IOException {
        TunnelKey made = TunnelKey.create(directory, "alice");
        assertThat(files()).containsExactly("alice.crt", "alice.key");
        assertThat(TunnelKey.load(directory.resolve("alice")).fingerprint()).isEqualTo(made.fingerprint());
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(key())))
                .isEqualTo("rw-------");
    }

    @Test
    void certificateThatIsMissingIsMadeAgainFromItsKey() throws IOException {
        // both signs of the point's other coordinate, sooner or later
        for (int i = 0; i < 20; i++) {
            String fingerprint = TunnelKey.create(directory, "alice").fingerprint();
            Files.delete(certificate());
            TunnelKey healed =
                    i % 2 == 0 ? TunnelKey.load(directory.resolve("alice")) : TunnelKey.obtain(directory, "alice");
            assertThat(healed.fingerprint()).isEqualTo(fingerprint);
            assertThat(files()).containsExactly("alice.crt", "alice.key");
            assertThat(TunnelKey.load(directory.resolve("alice")).material().leaf())
                    .isEqualTo(healed.material().leaf());
            Files.delete(key());
            Files.delete(certificate());
        }
    }

    @Test
    void keyThatIsMissingIsNotReplacedInSilence() {
        TunnelKey.create(directory, "alice");
        key().toFile().delete();
        assertThatThrownBy(() -> TunnelKey.obtain(directory, "alice"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("identity: " + key() + " isn't there (expected: " + key() + " and " + certificate()
                        + ", as agent-key makes them)");
    }

    @Test
    void damagedFilesAreNamedWithTheRemedy() throws IOException {
        TunnelKey.create(directory, "alice");
        byte[] whole = Files.readAllBytes(certificate());
        Files.write(certificate(), Arrays.copyOf(whole, whole.length / 2));
        assertThatThrownBy(() -> TunnelKey.load(directory.resolve("alice")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("there is no whole CERTIFICATE in " + certificate())
                .hasMessageContaining("a certificate that is removed is made again");
        Files.write(certificate(), whole);
        Files.write(key(), new byte[0]);
        assertThatThrownBy(() -> TunnelKey.obtain(directory, "alice"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("there is no whole PRIVATE KEY in " + key());
    }

    @Test
    void existingKeyIsNeverReplaced() throws IOException {
        String before = TunnelKey.create(directory, "alice").fingerprint();
        assertThatThrownBy(() -> TunnelKey.create(directory, "alice"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("identity: " + key() + " (expected: no such file");
        assertThat(TunnelKey.load(directory.resolve("alice")).fingerprint()).isEqualTo(before);
        assertThat(files()).containsExactly("alice.crt", "alice.key");
    }

    @Test
    void processesThatStartAtOnceHaveOneIdentity() throws Exception {
        int count = 8;
        ExecutorService executor = Executors.newFixedThreadPool(count);
        try {
            for (int round = 0; round < 10; round++) {
                String name = "round" + round;
                CountDownLatch all = new CountDownLatch(count);
                List<Future<String>> obtained = new ArrayList<>();
                for (int i = 0; i < count; i++) {
                    obtained.add(executor.submit(() -> {
                        all.countDown();
                        all.await();
                        return TunnelKey.obtain(directory, name).fingerprint();
                    }));
                }
                Set<String> fingerprints = new HashSet<>();
                for (Future<String> one : obtained) {
                    fingerprints.add(one.get());
                }
                assertThat(fingerprints).hasSize(1);
            }
        } finally {
            executor.shutdownNow();
        }
    }
}
