package io.webproxy.undertow.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AddressesTest {
    private static final String HOST = "upstream.test";

    private final Deque<Runnable> tasks = new ArrayDeque<>();
    private final List<String> lookups = new ArrayList<>();
    private final List<List<InetAddress>> answers = new ArrayList<>();
    // near the end of its range: nanoTime may wrap at any moment
    private long now = Long.MAX_VALUE - 1;
    private boolean full;
    private InetAddress[] found = {address("192.0.2.1")};

    private final Addresses addresses = new Addresses(this::execute, () -> now, this::resolve);

    private static InetAddress address(String literal) {
        try {
            return InetAddress.getByName(literal);
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }

    private void execute(Runnable task) {
        if (full) {
            throw new RejectedExecutionException("thrown by the test");
        }
        tasks.add(task);
    }

    private InetAddress[] resolve(String host) throws UnknownHostException {
        lookups.add(host);
        if (found.length == 0) {
            throw new UnknownHostException(host);
        }
        return found;
    }

    private void find() {
        addresses.find(HOST, answers::add);
    }

    /** Asks when the host's addresses are known; they must be answered at once. */
    private List<InetAddress> known() {
        int before = answers.size();
        find();
        assertThat(answers).hasSize(before + 1);
        return answers.get(before);
    }

    private void runTasks() {
        while (!tasks.isEmpty()) {
            tasks.remove().run();
        }
    }

    private void pass(Duration time) {
        now += time.toNanos();
    }

    private void now(String... literals) {
        found = Arrays.stream(literals).map(AddressesTest::address).toArray(InetAddress[]::new);
    }

    @Test
    void unknownNameIsNeverLookedUpOnTheCallingThread() {
        find();
        assertThat(lookups).isEmpty();
        assertThat(answers).isEmpty();

        runTasks();
        assertThat(lookups).containsExactly(HOST);
        assertThat(answers).containsExactly(List.of(address("192.0.2.1")));
    }

    @Test
    void ofTooManyNamesThoseThatCameFirstAreKept() {
        find();
        for (int i = 1; i < 4096; i++) {
            addresses.find("host-" + i + ".example", answers::add);
        }
        runTasks();
        for (int i = 0; i < 2; i++) {
            addresses.find("one-more.example", answers::add);
            assertThat(tasks).hasSize(1);
            runTasks();
        }
        assertThat(known()).containsExactly(address("192.0.2.1"));
        assertThat(tasks).isEmpty();

        pass(Duration.ofMinutes(5));
        addresses.find("one-more.example", answers::add);
        runTasks();
        addresses.find("one-more.example", answers::add);
        assertThat(tasks).as("what nobody asked for is forgotten by now").isEmpty();
    }

    @Test
    void freshAddressesAreAnsweredWithoutALookup() {
        find();
        runTasks();
        pass(Duration.ofSeconds(30).minusNanos(1));

        assertThat(known()).containsExactly(address("192.0.2.1"));
        assertThat(tasks).isEmpty();
        assertThat(lookups).hasSize(1);
    }

    @Test
    void addressesOlderThan30SecondsAreAnsweredAtOnceAndLookedUpAgainInTheBackground() {
        find();
        runTasks();
        now("192.0.2.2", "192.0.2.3");
        pass(Duration.ofSeconds(30));

        assertThat(known()).containsExactly(address("192.0.2.1"));
        assertThat(lookups).hasSize(1);
        runTasks();
        assertThat(lookups).hasSize(2);
        assertThat(known()).containsExactly(address("192.0.2.2"), address("192.0.2.3"));
        assertThat(tasks).isEmpty();
    }

    @Test
    void oneLookupServesAllWhoAskWhileItRuns() {
        find();
        runTasks();
        pass(Duration.ofSeconds(31));
        for (int i = 0; i < 100; i++) {
            known();
        }

        assertThat(tasks).hasSize(1);
    }

    @Test
    void failedRefreshKeepsTheAddressesFor5MinutesAndTriesEvery30Seconds() {
        find();
        runTasks();
        now();
        for (int i = 1; i < 10; i++) {
            pass(Duration.ofSeconds(30));
            assertThat(known()).containsExactly(address("192.0.2.1"));
            runTasks();
            assertThat(lookups).hasSize(i + 1);
        }
        pass(Duration.ofSeconds(30).minusNanos(1));
        assertThat(known()).containsExactly(address("192.0.2.1"));

        pass(Duration.ofNanos(1));
        find();
        runTasks();
        assertThat(answers.get(answers.size() - 1)).isEmpty();
    }

    @Test
    void hostThatComesBackIsFoundAgain() {
        now();
        find();
        runTasks();
        assertThat(answers).containsExactly(List.of());

        now("192.0.2.9");
        find();
        runTasks();
        assertThat(answers.get(1)).containsExactly(address("192.0.2.9"));
    }

    @Test
    void refreshThatSucceedsRestartsThe5Minutes() {
        find();
        runTasks();
        pass(Duration.ofSeconds(299));
        known();
        runTasks();
        now();
        pass(Duration.ofSeconds(299));

        assertThat(known()).containsExactly(address("192.0.2.1"));
    }

    @Test
    void addressesUnusedFor5MinutesAreNotTrustedBlindly() {
        find();
        runTasks();
        answers.clear();
        pass(Duration.ofMinutes(5));
        now("192.0.2.2");

        find();
        assertThat(answers).isEmpty();
        runTasks();
        assertThat(answers).containsExactly(List.of(address("192.0.2.2")));
    }

    @Test
    void fullExecutorAnswersWithNothingForAnUnknownName() {
        full = true;
        find();

        assertThat(answers).containsExactly(List.of());
        assertThat(lookups).isEmpty();
    }

    @Test
    void fullExecutorKeepsKnownAddresses() {
        find();
        runTasks();
        full = true;
        pass(Duration.ofMinutes(1));

        assertThat(known()).containsExactly(address("192.0.2.1"));
    }

    private void again() {
        addresses.again(HOST, answers::add);
    }

    @Test
    void nameWhoseAddressesFailIsLookedUpAgainAtOncePastTheCacheOfTheJvm() {
        find();
        runTasks();
        answers.clear();
        now("192.0.2.2");

        again();
        assertThat(answers).isEmpty();
        runTasks();
        assertThat(answers).containsExactly(List.of(address("192.0.2.2")));
        assertThat(lookups.get(1)).isNotEqualTo(HOST).isEqualToIgnoringCase(HOST);
        assertThat(known()).containsExactly(address("192.0.2.2"));
        assertThat(tasks).isEmpty();
    }

    @Test
    void nameWhoseAddressesFailIsLookedUpOnceASecondAtMost() {
        find();
        runTasks();
        answers.clear();
        now("192.0.2.2");
        for (int i = 0; i < 100; i++) {
            again();
        }
        assertThat(tasks).hasSize(1);
        runTasks();
        assertThat(answers).hasSize(100).containsOnly(List.of(address("192.0.2.2")));

        pass(Duration.ofSeconds(1).minusNanos(1));
        now("192.0.2.3");
        again();
        assertThat(tasks).isEmpty();
        assertThat(answers.get(100)).containsExactly(address("192.0.2.2"));

        pass(Duration.ofNanos(1));
        again();
        runTasks();
        assertThat(answers.get(101)).containsExactly(address("192.0.2.3"));
        assertThat(lookups).hasSize(3).doesNotHaveDuplicates();
    }

    @Test
    void nameThatIsNotFoundAgainKeepsItsAddresses() {
        find();
        runTasks();
        now();
        again();
        runTasks();
        assertThat(answers.get(1)).containsExactly(address("192.0.2.1"));

        pass(Duration.ofSeconds(1));
        full = true;
        again();
        assertThat(answers.get(2)).containsExactly(address("192.0.2.1"));
    }

    @Test
    void nameThatWasNeverFoundIsLookedUpAgainToo() {
        now();
        find();
        runTasks();
        now("192.0.2.9");
        again();
        runTasks();
        assertThat(answers.get(1)).containsExactly(address("192.0.2.9"));
    }

    @Test
    void lookupsOfTooManyFailingNamesAreBounded() {
        for (int i = 0; i < 5000; i++) {
            addresses.again("host-" + i + ".example", answers::add);
        }
        assertThat(tasks).hasSize(4096);
        runTasks();
        pass(Duration.ofSeconds(1));
        again();
        assertThat(tasks).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "[::1]", "[x]"})
    void addressIsNeverLookedUpAgain(String host) {
        addresses.again(host, answers::add);
        assertThat(answers).containsExactly(List.of());
        assertThat(tasks).isEmpty();
    }

    @Test
    void hostsAreKeptApart() {
        find();
        runTasks();
        now("192.0.2.2");
        addresses.find("other.test", answers::add);
        runTasks();

        assertThat(lookups).containsExactly(HOST, "other.test");
        assertThat(known()).containsExactly(address("192.0.2.1"));
    }

    @ParameterizedTest
    @CsvSource({"127.0.0.1, 127.0.0.1", "[::1], ::1", "[2001:db8::1], 2001:db8::1"})
    void addressIsItsOwnAnswerAtOnce(String host, String address) {
        addresses.find(host, answers::add);

        assertThat(answers).containsExactly(List.of(address(address)));
        assertThat(tasks).isEmpty();
        assertThat(lookups).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"[::1", "[]", "[x]", "["})
    void brokenLiteralHasNoAddress(String host) {
        addresses.find(host, answers::add);

        assertThat(answers).containsExactly(List.of());
        assertThat(lookups).isEmpty();
    }
}
