package io.webproxy.acme.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.acme.CertificateStore;
import io.webproxy.acme.certificate.StoredCertificate;
import io.webproxy.acme.testing.TestCertificates;
import io.webproxy.testing.LeakCheck;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Processes that share a directory, and die or hang. */
@ExtendWith(LeakCheck.class)
class StoreProcessesTest {
    /** How many processes are killed while they write; more by {@code -Dwebproxy.kills=…}. */
    private static final int KILLS = Integer.getInteger("webproxy.kills", 30);

    private static final String KEY = "certificates/example.com/EC";
    private static final Duration LEASE = Duration.ofMinutes(1);

    @TempDir
    private Path directory;

    /** Two processes at a time write the same certificate, and are killed at any moment. */
    @Test
    void aKillAtAnyMomentLeavesTheOldOrTheNewPair() throws Exception {
        Instant now = Instant.parse("2026-11-21T12:00:00Z");
        StoredCertificate one =
                new StoredCertificate(TestCertificates.issue(now, Duration.ofDays(90), "example.com"), now);
        StoredCertificate other = new StoredCertificate(
                TestCertificates.issue(now, Duration.ofDays(90), "example.com", "www.example.com"), now);
        Path oneFile = Files.write(directory.resolve("one"), one.print());
        Path otherFile = Files.write(directory.resolve("other"), other.print());
        Path shared = directory.resolve("store");
        Random random = new Random();
        Set<Integer> seen = new HashSet<>();
        int leftovers = 0;

        for (int killed = 0; killed < KILLS; killed += 2) {
            try (StoreProcess first = StoreProcess.writer(shared, KEY, oneFile, otherFile);
                    StoreProcess second = StoreProcess.writer(shared, KEY, oneFile, otherFile)) {
                assertThat(List.of(first.answer(), second.answer())).containsOnly("writing");
                // Not a wait for anything: any moment will do.
                LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(random.nextInt(5_000)));
                first.kill();
                second.kill();
            }
            CertificateStore store = CertificateStore.directory(shared);
            StoredCertificate kept = StoredCertificate.parse(store.get(KEY).orElseThrow());
            assertThat(kept.material().chain())
                    .isIn(one.material().chain(), other.material().chain());
            assertThat(kept.material().key())
                    .isIn(one.material().key(), other.material().key());
            assertThat(store.list("")).containsExactly(KEY);
            seen.add(kept.material().names().size());
            leftovers += halfWritten(shared);
            if (killed % 6 == 0) {
                store.put("another", new byte[0]);
                assertThat(halfWritten(shared)).isZero();
                store.delete("another");
            }
        }
        assertThat(seen).as("old and new").hasSize(2);
        assertThat(leftovers).as("kills within a write").isPositive();
    }

    private static int halfWritten(Path shared) throws Exception {
        try (Stream<Path> files = Files.walk(shared)) {
            return (int) files.filter(file -> file.getFileName().toString().startsWith(".new-"))
                    .count();
        }
    }

    @Test
    void whatALivingProcessIsWritingIsNotRemoved() throws Exception {
        Path value = Files.write(directory.resolve("value"), new byte[1 << 20]);
        Path shared = directory.resolve("store");
        try (StoreProcess writer = StoreProcess.writer(shared, KEY, value, value)) {
            assertThat(writer.answer()).isEqualTo("writing");

            boolean kept = false;
            for (int i = 0; i < 200 && !kept; i++) {
                writer.signal("STOP");
                boolean within = halfWritten(shared) > 0;
                CertificateStore.directory(shared).put("another", new byte[0]);
                kept = within && halfWritten(shared) > 0;
                writer.signal("CONT");
            }

            assertThat(kept).as("stopped within a write").isTrue();
        }
    }

    @Test
    void aLockIsLostByDeathAtOnce() throws Exception {
        CertificateStore store = CertificateStore.directory(directory);
        try (StoreProcess holder = StoreProcess.locker(directory, "example.com/EC", LEASE)) {
            assertThat(holder.answer()).isEqualTo("held");
            assertThat(store.lock("example.com/EC", LEASE)).isEmpty();
            assertThat(store.lock("example.com/EC", LEASE)).isEmpty();
            assertThat(holder.ask()).isEqualTo("held");

            holder.kill();

            assertThat(store.lock("example.com/EC", LEASE)).hasValueSatisfying(CertificateStore.Lock::close);
        }
    }

    @Test
    void aLockHoldsAgainstOtherProcesses() throws Exception {
        try (CertificateStore.Lock lock = CertificateStore.directory(directory)
                .lock("example.com/EC", LEASE)
                .orElseThrow()) {
            // Whatever else this process does with it.
            assertThat(CertificateStore.directory(directory).lock("example.com/EC", LEASE))
                    .isEmpty();
            assertThat(lock.extend()).isTrue();
            try (StoreProcess other = StoreProcess.locker(directory, "example.com/EC", LEASE)) {
                assertThat(other.answer()).isEqualTo("not held");
            }
        }
    }

    @Test
    void aProcessThatHangsLosesItsLockWhenItsLeaseIsOver() throws Exception {
        AtomicLong nanos = new AtomicLong();
        CertificateStore store = new DirectoryStore(directory, nanos::get);
        try (StoreProcess holder = StoreProcess.locker(directory, "example.com/EC", LEASE)) {
            assertThat(holder.answer()).isEqualTo("held");
            holder.signal("STOP");
            assertThat(store.lock("example.com/EC", LEASE)).isEmpty();
            nanos.addAndGet(LEASE.toNanos());
            assertThat(store.lock("example.com/EC", LEASE)).isEmpty();
            nanos.addAndGet(1);

            try (CertificateStore.Lock lock =
                    store.lock("example.com/EC", LEASE).orElseThrow()) {
                holder.signal("CONT");
                assertThat(holder.ask()).isEqualTo("lost");
                assertThat(lock.extend()).isTrue();
            }
        }
    }

    @Test
    void aProcessThatExtendsItsLockKeepsItForAsLongAsItLikes() throws Exception {
        AtomicLong nanos = new AtomicLong();
        CertificateStore store = new DirectoryStore(directory, nanos::get);
        try (StoreProcess holder = StoreProcess.locker(directory, "example.com/EC", LEASE)) {
            assertThat(holder.answer()).isEqualTo("held");
            for (int i = 0; i < 5; i++) {
                assertThat(store.lock("example.com/EC", LEASE)).isEmpty();
                assertThat(holder.ask()).isEqualTo("held");
                nanos.addAndGet(2 * LEASE.toNanos());
            }
        }
    }
}
