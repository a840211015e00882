package io.webproxy.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import java.net.ServerSocket;
import java.net.Socket;
import java.nio.channels.Pipe;
import java.nio.channels.Selector;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.testkit.engine.EngineExecutionResults;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.slf4j.LoggerFactory;

/** Each kind of leak fails, in a test of its own that runs inside these tests. */
class LeakCheckTest {
    private static final Deque<AutoCloseable> LEFT_OPEN = new ArrayDeque<>();

    @AfterEach
    void closeWhatWasLeftOpen() throws Exception {
        while (!LEFT_OPEN.isEmpty()) {
            LEFT_OPEN.pop().close();
        }
    }

    @Test
    void threadThatLivesOnFails() {
        assertThat(failures("thread")).singleElement().asString().contains("thread \"left-behind\"");
    }

    @Test
    void daemonThreadThatLivesOnFails() {
        assertThat(failures("daemonThread")).singleElement().asString().contains("thread \"left-daemon\" (daemon");
    }

    @Test
    void openSocketFails() {
        assumeTrue(Files.isDirectory(Path.of("/proc/self/fd")));
        assertThat(failures("listeningSocket")).singleElement().asString().containsPattern("socket:\\[\\d+] .*LISTEN");
        assertThat(failures("clientSocket"))
                .singleElement()
                .asString()
                .containsPattern("socket:\\[\\d+] .*remote port");
    }

    @Test
    void openSelectorFails() {
        assumeTrue(Files.isDirectory(Path.of("/proc/self/fd")));
        assertThat(failures("selector")).singleElement().asString().contains("anon_inode:[eventpoll]");
    }

    @Test
    void openPipeFails() {
        assumeTrue(Files.isDirectory(Path.of("/proc/self/fd")));
        assertThat(failures("pipe")).singleElement().asString().containsPattern("pipe:\\[\\d+] x 2");
    }

    @Test
    void undeclaredWarningFails() {
        assertThat(failures("warning"))
                .singleElement()
                .asString()
                .contains("log line WARN demo.slf4j: careful <- java.lang.IllegalStateException: because");
    }

    @Test
    void undeclaredErrorFails() {
        assertThat(failures("error")).singleElement().asString().contains("log line ERROR demo.slf4j: broken");
    }

    @Test
    void oneDeclarationDoesNotCoverAnotherLine() {
        assertThat(failures("otherWarning"))
                .singleElement()
                .asString()
                .contains("WARN demo.slf4j: another", "WARN demo.slf4jx: declared")
                .doesNotContain("WARN demo.slf4j: declared");
    }

    @Test
    void expectedLineThatDoesNotComeFails() {
        assertThat(failures("missingWarning")).singleElement().asString().contains("no log line as expected", "never");
    }

    @Test
    void allLeaksOfATestAreNamedTogether() {
        assertThat(failures("threadAndWarning"))
                .singleElement()
                .asString()
                .contains("thread \"left-behind\"", "demo.slf4j: careful");
    }

    @Test
    void cleanTestsPass() {
        // a collection may take its time: this waits only as long as that
        assertThat(failures(selectClass(Clean.class), "PT30S")).isEmpty();
    }

    @Test
    void whatBeforeAllOpensBelongsToTheClass() {
        assertThat(failures(ClosesInAfterAll.class)).isEmpty();
        assertThat(failures(NeverCloses.class)).singleElement().asString().contains("left-behind", "NeverCloses");
    }

    @Test
    void fixturesOfASharedInstanceMayGrowDuringATest() {
        assertThat(failures(SharedInstance.class)).isEmpty();
        assertThat(failures(LeakySharedInstance.class))
                .singleElement()
                .asString()
                .contains("left-behind");
    }

    private static List<String> failures(String leakyTest) {
        return failures(selectMethod(Leaky.class, leakyTest));
    }

    private static List<String> failures(Class<?> testClass) {
        return failures(selectClass(testClass));
    }

    /** The messages of the tests and containers that failed; there has to be at least one test. */
    private static List<String> failures(DiscoverySelector selector) {
        // What these tests leave stays until closeWhatWasLeftOpen: no use in waiting long; enough for a collection.
        return failures(selector, "PT0.5S");
    }

    private static List<String> failures(DiscoverySelector selector, String wait) {
        EngineExecutionResults results = EngineTestKit.engine("junit-jupiter")
                .selectors(selector)
                .configurationParameter(LeakCheck.WAIT, wait)
                .execute();
        assertThat(results.testEvents().started().count()).isPositive();
        return results.allEvents()
                .finished()
                .map(e -> e.getRequiredPayload(TestExecutionResult.class))
                .flatMap(result -> result.getThrowable().stream())
                .map(Throwable::getMessage)
                .toList();
    }

    private static void leaveThread(String name, boolean daemon) {
        CountDownLatch latch = new CountDownLatch(1);
        Thread thread = new Thread(() -> uninterruptibly(latch), name);
        thread.setDaemon(daemon);
        thread.start();
        LEFT_OPEN.push(() -> {
            latch.countDown();
            thread.join();
        });
    }

    private static void uninterruptibly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static <C extends AutoCloseable> C leaveOpen(C resource) {
        LEFT_OPEN.push(resource);
        return resource;
    }

    private static void warn(String logger, String message) {
        Exception cause = new IllegalStateException("because");
        cause.setStackTrace(new StackTraceElement[0]);
        LoggerFactory.getLogger(logger).warn(message, cause);
    }

    /** Runs only inside the tests above. */
    @ExtendWith(LeakCheck.class)
    static class Leaky {
        @Test
        void thread() {
            leaveThread("left-behind", false);
        }

        @Test
        void daemonThread() {
            leaveThread("left-daemon", true);
        }

        @Test
        void listeningSocket() throws Exception {
            leaveOpen(new ServerSocket(0));
        }

        @Test
        void clientSocket() throws Exception {
            try (ServerSocket server = new ServerSocket(0)) {
                leaveOpen(new Socket(server.getInetAddress(), server.getLocalPort()));
                server.accept().close();
            }
        }

        @Test
        void selector() throws Exception {
            leaveOpen(Selector.open());
        }

        @Test
        void pipe() throws Exception {
            Pipe pipe = Pipe.open();
            leaveOpen(pipe.source());
            leaveOpen(pipe.sink());
        }

        @Test
        void warning() {
            warn("demo.slf4j", "careful");
        }

        @Test
        void error() {
            LoggerFactory.getLogger("demo.slf4j").error("broken");
        }

        @Test
        @ExpectedLog(logger = "demo.slf4j", contains = "declared")
        void otherWarning() {
            warn("demo.slf4j", "declared");
            warn("demo.slf4j", "another");
            warn("demo.slf4jx", "declared");
        }

        @Test
        @ExpectedLog(contains = "never")
        void missingWarning() {}

        @Test
        void threadAndWarning() {
            leaveThread("left-behind", false);
            warn("demo.slf4j", "careful");
        }
    }

    /** Runs only inside the tests above. */
    @ExpectedLog(logger = "demo.anywhere")
    static class Clean {
        @Test
        @ExtendWith(LeakCheck.class)
        void closesWhatItOpens() throws Exception {
            try (ServerSocket server = new ServerSocket(0);
                    Selector selector = Selector.open()) {
                selector.selectNow();
            }
            Thread thread =
                    new Thread(() -> LoggerFactory.getLogger("demo.slf4j").info("fine"));
            thread.start();
            thread.join();
        }

        @Test
        @ExtendWith(LeakCheck.class)
        void dropsASocketForTheCollector() throws Exception {
            new ServerSocket(0).getLocalPort();
        }

        @Test
        @ExtendWith(LeakCheck.class)
        @ExpectedLog(logger = "demo", contains = "declared")
        @ExpectedLog(contains = "IllegalStateException")
        void declaresItsWarnings() {
            warn("demo.slf4j", "declared");
            warn("demo.other", "something");
            warn("demo.anywhere", "anything");
        }
    }

    /** Runs only inside the tests above. */
    @ExtendWith(LeakCheck.class)
    static class ClosesInAfterAll {
        @BeforeAll
        static void open() {
            leaveThread("left-behind", false);
        }

        @AfterAll
        static void close() throws Exception {
            LEFT_OPEN.pop().close();
        }

        @Test
        void one() {}
    }

    /** Runs only inside the tests above. */
    @ExtendWith(LeakCheck.class)
    static class NeverCloses {
        @BeforeAll
        static void open() {
            leaveThread("left-behind", false);
        }

        @Test
        void one() {}
    }

    /** Runs only inside the tests above. */
    @ExtendWith(LeakCheck.class)
    @TestInstance(TestInstance.Lifecycle.PER_CLASS)
    static class SharedInstance {
        @Test
        void one() {
            leaveThread("left-behind", false);
        }

        @AfterAll
        void close() throws Exception {
            LEFT_OPEN.pop().close();
        }
    }

    /** Runs only inside the tests above. */
    @ExtendWith(LeakCheck.class)
    @TestInstance(TestInstance.Lifecycle.PER_CLASS)
    static class LeakySharedInstance {
        @Test
        void one() {
            leaveThread("left-behind", false);
        }
    }
}
