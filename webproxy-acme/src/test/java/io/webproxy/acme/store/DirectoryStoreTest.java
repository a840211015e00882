package io.webproxy.acme.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.webproxy.acme.CertificateStore;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(LeakCheck.class)
class DirectoryStoreTest {
    private static final Duration LEASE = Duration.ofMinutes(1);

    @TempDir
    private Path temporary;

    private Path directory() {
        return temporary.resolve("made/by/the/store");
    }

    private CertificateStore store() {
        return CertificateStore.directory(directory());
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static Optional<String> text(Optional<byte[]> bytes) {
        return bytes.map(value -> new String(value, StandardCharsets.UTF_8));
    }

    @Test
    void keepsWhatIsPutAcrossInstances() throws Exception {
        CertificateStore store = store();

        assertThat(store.get("certificates/example.com/EC")).isEmpty();
        assertThat(store.list("")).isEmpty();
        assertThat(directory()).as("reading makes nothing").doesNotExist();

        store.put("certificates/example.com/EC", bytes("one"));
        store.put("certificates/example.com/EC", bytes("two"));

        assertThat(text(store().get("certificates/example.com/EC"))).hasValue("two");
        store.delete("certificates/example.com/EC");
        store.delete("certificates/example.com/EC");
        assertThat(store().get("certificates/example.com/EC")).isEmpty();
    }

    @Test
    void filesAreReadableByNameAndHarmless() throws Exception {
        CertificateStore store = store();
        store.put("certificates/*.example.com/EC", bytes("wildcard"));
        store.put("certificates/2001:db8::1/RSA", bytes("address"));
        store.put("accounts/a_b-c.d", bytes("account"));

        assertThat(directory().resolve("certificates/+.example.com/EC")).hasContent("wildcard");
        assertThat(directory().resolve("certificates/2001=db8==1/RSA")).hasContent("address");
        assertThat(store.list(""))
                .containsExactly("accounts/a_b-c.d", "certificates/*.example.com/EC", "certificates/2001:db8::1/RSA");
        assertThat(store.list("certificates/2001:db8::1/")).containsExactly("certificates/2001:db8::1/RSA");
        assertThat(store.list("certificate/")).isEmpty();
        assertThatThrownBy(() -> store.list("certificates")).hasMessageContaining("prefix: certificates (expected:");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "/",
                "a/",
                "/a",
                "a//b",
                "..",
                "a/../../b",
                "a/..",
                ".",
                "a/./b",
                ".version",
                ".locks/x",
                "a\\..\\b",
                "a b",
                "a\u0000b",
                "a+b",
                "ä",
                "~",
                "a/.new-1",
                "C:/../x"
            })
    void noKeyLeavesTheDirectoryOrMeetsTheStoresOwnFiles(String key) {
        CertificateStore store = store();

        assertThatThrownBy(() -> store.put(key, bytes("x"))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> store.get(key)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> store.delete(key)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> store.lock(key, LEASE)).isInstanceOf(IllegalArgumentException.class);
        assertThat(temporary).isEmptyDirectory();
    }

    @Test
    void longestNamesFit() throws Exception {
        String name = "*." + ("a".repeat(60) + ".").repeat(4) + "b".repeat(7);
        assertThat(name).hasSize(253);

        store().put("certificates/" + name + "/EC", bytes("x"));

        assertThat(store().list("")).containsExactly("certificates/" + name + "/EC");
        assertThat(store().lock("certificates/" + name + "/EC", LEASE))
                .hasValueSatisfying(CertificateStore.Lock::close);
    }

    @Test
    void everythingIsTheOwnersAlone() throws Exception {
        CertificateStore store = store();
        store.put("certificates/example.com/EC", bytes("x"));
        try (CertificateStore.Lock lock = store.lock("example.com/EC", LEASE).orElseThrow()) {
            assertThat(lock.extend()).isTrue();
        }

        try (Stream<Path> all = Files.walk(temporary.resolve("made"))) {
            assertThat(all)
                    .hasSizeGreaterThan(9)
                    .allSatisfy(path -> assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
                            .isEqualTo(Files.isDirectory(path) ? "rwx------" : "rw-------"));
        }
    }

    /**
     * The permissions of the file that is moved into place are those that it was made with: nothing changes them
     * afterwards.
     */
    @Test
    void aKeyIsNeverReadableForOthersNotEvenInPlaceOfAFileThatWas() throws Exception {
        Files.createDirectories(directory().resolve("certificates"));
        Path open = Files.writeString(directory().resolve("certificates/a"), "old");
        Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rw-rw-rw-"));

        store().put("certificates/a", bytes("new"));

        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(open)))
                .isEqualTo("rw-------");
    }

    @Test
    void leftoversOfDeadProcessesAreRemovedAndThoseOfLivingOnesAreNot() throws Exception {
        Files.createDirectories(directory().resolve("certificates/a"));
        Path dead = Files.writeString(directory().resolve("certificates/a/.new-0123-1"), "half");
        Path other = Files.writeString(directory().resolve("certificates/a/mine"), "x");

        store().put("b", bytes("x"));

        assertThat(dead).doesNotExist();
        assertThat(other).exists();
    }

    @Test
    void aStoreOfANewerReleaseIsRefusedInOneSentence() throws Exception {
        store().put("a", bytes("x"));
        assertThat(directory().resolve(".version")).hasContent("webproxy certificate store, version 1");
        Files.writeString(directory().resolve(".version"), "webproxy certificate store, version 2\n");

        String sentence = directory() + " was written by a newer release (store version 2, expected: 1): use that"
                + " release, or name another directory.";
        assertThatThrownBy(() -> store().get("a"))
                .isInstanceOf(IOException.class)
                .hasMessage(sentence);
        assertThatThrownBy(() -> store().put("a", bytes("y"))).hasMessage(sentence);
        assertThatThrownBy(() -> store().list("")).hasMessage(sentence);
        assertThatThrownBy(() -> store().delete("a")).hasMessage(sentence);
        assertThatThrownBy(() -> store().lock("a", LEASE)).hasMessage(sentence);
        assertThat(directory().resolve("a")).hasContent("x");

        Files.writeString(directory().resolve(".version"), "");
        assertThatThrownBy(() -> store().get("a")).hasMessageContaining(".version is damaged (expected: ");
    }

    @Test
    void aFileWhereADirectoryIsExpectedIsNamed() throws Exception {
        Path file = Files.writeString(temporary.resolve("made"), "x");

        String sentence =
                file + " is a file (expected: a directory to keep certificates in): remove it, or name another"
                        + " directory.";
        assertThatThrownBy(() -> store().put("a", bytes("x"))).hasMessage(sentence);
        assertThatThrownBy(() -> store().get("a")).hasMessage(sentence);
        assertThatThrownBy(() -> store().lock("a", LEASE)).hasMessage(sentence);
        assertThatThrownBy(() -> CertificateStore.directory(file).list("")).hasMessage(sentence);
    }

    @Test
    void aDirectoryWhereAFileIsExpectedIsNamed() throws Exception {
        store().put("a/b", bytes("x"));

        assertThatThrownBy(() -> store().put("a", bytes("x")))
                .isInstanceOf(IOException.class)
                .hasMessage(directory().resolve("a") + " is a directory (expected: a file): remove it.");
        assertThatThrownBy(() -> store().get("a")).hasMessageContaining("is a directory");
    }

    @Test
    void aDirectoryThatCanNotBeWrittenIsNamedAndTheOldValueStays() throws Exception {
        store().put("a/b", bytes("old"));
        try (Frozen frozen = Frozen.directory(directory().resolve("a"))) {
            assumeTrue(frozen.works(), "chattr +i works here");

            assertThatThrownBy(() -> store().put("a/b", bytes("new")))
                    .isInstanceOf(IOException.class)
                    .hasMessage(directory().resolve("a/b")
                            + " can't be written: operation not permitted; give this user the" + " rights to "
                            + directory() + ", or name another directory.");
            assertThat(text(store().get("a/b"))).hasValue("old");
        }
        store().put("a/b", bytes("new"));
        assertThat(text(store().get("a/b"))).hasValue("new");
    }

    @Test
    void aFullDiskIsNamedAndTheOldValueStays() throws Exception {
        try (SmallDisk disk = SmallDisk.mounted(temporary.resolve("disk"), 64)) {
            assumeTrue(disk.works(), "a tmpfs can be mounted here");
            CertificateStore store = CertificateStore.directory(disk.path());
            store.put("a", bytes("old"));

            assertThatThrownBy(() -> store.put("a", new byte[200_000]))
                    .isInstanceOf(IOException.class)
                    .hasMessage(
                            disk.path().resolve("a") + " can't be written: no space left on device; make room there.");

            assertThat(text(store.get("a"))).hasValue("old");
            try (Stream<Path> files = Files.list(disk.path())) {
                assertThat(files)
                        .extracting(Path::getFileName)
                        .extracting(Path::toString)
                        .containsOnly("a", ".version");
            }
            disk.fill();
            assertThat(store.lock("a", LEASE))
                    .as("a lock needs no room")
                    .hasValueSatisfying(CertificateStore.Lock::close);
            disk.readOnly();
            assertThatThrownBy(() -> store.put("a", bytes("new")))
                    .hasMessage(
                            disk.path().resolve("a") + " can't be written: read-only file system; mount it writable, or"
                                    + " name another directory than " + disk.path() + ".");
            assertThat(text(store.get("a"))).hasValue("old");
        }
    }

    @Test
    void anInterruptDoesNotStopWhatIsBeingWritten() throws Exception {
        CertificateStore store = store();
        Thread.currentThread().interrupt();

        assertThatCode(() -> store.put("a", bytes("x"))).doesNotThrowAnyException();
        Optional<CertificateStore.Lock> lock = store.lock("a", LEASE);

        assertThat(Thread.interrupted()).isTrue();
        assertThat(text(store.get("a"))).hasValue("x");
        lock.orElseThrow().close();
    }

    @Test
    @ExpectedLog(logger = "io.webproxy.acme", contains = "Everyone can put certificates into")
    void aDirectoryThatEveryoneCanWriteIsWarnedOf() throws Exception {
        Files.createDirectories(directory());
        Files.setPosixFilePermissions(directory(), PosixFilePermissions.fromString("rwxrwxrwx"));

        store().put("a", bytes("x"));
    }

    @Test
    void aLockIsHeldOnceUntilItIsGivenBack() throws Exception {
        CertificateStore.Lock lock = store().lock("example.com/EC", LEASE).orElseThrow();

        assertThat(store().lock("example.com/EC", LEASE)).isEmpty();
        assertThat(store().lock("example.com/RSA", LEASE)).hasValueSatisfying(CertificateStore.Lock::close);
        lock.close();
        lock.close();
        assertThat(lock.extend()).isFalse();
        try (CertificateStore.Lock next = store().lock("example.com/EC", LEASE).orElseThrow()) {
            lock.close();
            assertThat(next.extend()).isTrue();
            assertThat(store().lock("example.com/EC", LEASE)).isEmpty();
        }
    }

    @Test
    void aThreadThatHangsLosesItsLockWithTheLease() throws Exception {
        AtomicLong nanos = new AtomicLong();
        CertificateStore store = new DirectoryStore(directory(), nanos::get);
        CertificateStore.Lock hanging = store.lock("a", LEASE).orElseThrow();

        nanos.addAndGet(LEASE.toNanos());
        assertThat(hanging.extend()).isTrue();
        nanos.addAndGet(LEASE.toNanos());
        assertThat(store.lock("a", LEASE)).isEmpty();
        nanos.addAndGet(1);
        try (CertificateStore.Lock next = store.lock("a", LEASE).orElseThrow()) {
            assertThat(hanging.extend()).isFalse();
            hanging.close();
            assertThat(next.extend()).isTrue();
            assertThat(store.lock("a", LEASE)).isEmpty();
        }
    }

    @Test
    void aLeaseIsOfASecondToAnHour() {
        assertThatThrownBy(() -> store().lock("a", Duration.ofMillis(999)))
                .hasMessageContaining("(expected: 1 s to 1 h)");
        assertThatThrownBy(() -> store().lock("a", Duration.ofMinutes(61)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aValueIsAtMostAMebibyte() throws Exception {
        store().put("a", new byte[1 << 20]);
        assertThat(store().get("a").orElseThrow()).hasSize(1 << 20);
        assertThatThrownBy(() -> store().put("a", new byte[(1 << 20) + 1]))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"rw-r--r--", "rw----r--", "rw-r-----"})
    @ExpectedLog(
            logger = "io.webproxy.acme",
            contains = "account/key, which may hold a key: take that from them, chmod 600")
    void keyThatOthersCanReadIsSaidOnce(String permissions) throws Exception {
        CertificateStore store = store();
        store.put("account/key", bytes("key"));
        store.get("account/key");
        Files.setPosixFilePermissions(directory().resolve("account/key"), PosixFilePermissions.fromString(permissions));
        assertThat(text(store.get("account/key"))).hasValue("key");
        store.get("account/key");
    }
}
