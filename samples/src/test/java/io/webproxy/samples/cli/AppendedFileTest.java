package io.webproxy.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(LeakCheck.class)
class AppendedFileTest {
    private final AtomicLong clock = new AtomicLong(Long.MAX_VALUE - 5);

    @TempDir
    private Path directory;

    private AppendedFile open(Path file) throws IOException {
        return AppendedFile.open("access log", file, clock::get);
    }

    private void aSecondLater() {
        clock.addAndGet(Duration.ofSeconds(1).toNanos());
    }

    private static ByteBuffer line(String text) {
        return ByteBuffer.wrap((text + "\n").getBytes(StandardCharsets.UTF_8));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void fileThatIsMovedAwayIsOpenedAnew(boolean created) throws Exception {
        Path path = directory.resolve("access.log");
        Path moved = directory.resolve("access.log.1");
        Files.writeString(path, "zero\n");
        try (AppendedFile file = open(path)) {
            file.append(line("one"));
            Files.move(path, moved);
            if (created) {
                Files.createFile(path);
            }
            file.append(line("two"));
            aSecondLater();
            file.append(line("three"));
        }
        assertThat(moved).hasContent("zero\none\ntwo");
        assertThat(path).hasContent("three");
    }

    @Test
    void fileIsOpenedAnewAtOnceWhenItIsToldTo() throws Exception {
        Path path = directory.resolve("access.log");
        Path moved = directory.resolve("access.log.1");
        try (AppendedFile file = open(path)) {
            file.append(line("one"));
            Files.move(path, moved);
            file.reopen();
            assertThat(path).isEmptyFile();
            file.append(line("two"));
        }
        assertThat(moved).hasContent("one");
        assertThat(path).hasContent("two");
    }

    @Test
    void fileThatIsCutInPlaceIsWrittenOnFromItsNewEnd() throws Exception {
        Path path = directory.resolve("access.log");
        try (AppendedFile file = open(path)) {
            file.append(line("one"));
            Files.newOutputStream(path, StandardOpenOption.TRUNCATE_EXISTING).close();
            file.append(line("two"));
        }
        assertThat(path).hasContent("two");
    }

    @Test
    @ExpectedLog(
            logger = "io.webproxy.server",
            contains = "access.log can't be written (no such directory), lines are lost")
    void directoryThatVanishesIsSaidOnceAndWrittenToWhenItIsBack() throws Exception {
        Path below = Files.createDirectory(directory.resolve("logs"));
        Path path = below.resolve("access.log");
        try (AppendedFile file = open(path)) {
            Files.delete(path);
            Files.delete(below);
            aSecondLater();
            file.append(line("lost"));
            aSecondLater();
            file.append(line("lost too"));
            Files.createDirectory(below);
            file.append(line("lost before the next try"));
            aSecondLater();
            file.append(line("kept"));
        }
        assertThat(path).hasContent("kept");
    }

    @Test
    @ExpectedLog(
            logger = "io.webproxy.server",
            contains = "can't be written (No space left on device), lines are lost: make room there; it goes on by"
                    + " itself.")
    void fullDiskIsSaidOnceWithTheFileAndTheFix() throws Exception {
        Path full = Path.of("/dev/full");
        assumeTrue(Files.isWritable(full));
        Path path = Files.createSymbolicLink(directory.resolve("access.log"), full);
        try (AppendedFile file = open(path)) {
            for (int i = 0; i < 5; i++) {
                file.append(line("lost"));
                aSecondLater();
            }
            Files.delete(path);
            file.append(line("kept"));
        }
        assertThat(path).isRegularFile().hasContent("kept");
    }

    @Test
    void fileThatCannotBeOpenedIsRefused() {
        assertThatThrownBy(() -> open(directory.resolve("missing/access.log"))).isInstanceOf(IOException.class);
    }
}
