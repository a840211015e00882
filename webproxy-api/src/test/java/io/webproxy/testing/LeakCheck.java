package io.webproxy.testing;

import static org.awaitility.Awaitility.await;

import java.lang.reflect.AnnotatedElement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.platform.commons.support.AnnotationSupport;

/**
 * Fails a test that leaves something behind: a thread, a socket, pipe or selector, or an undeclared WARN or ERROR.
 *
 * <p>{@code @ExtendWith(LeakCheck.class)} on a class checks each test and, after {@code @AfterAll}, the class; on a
 * method, that test. Name it before other extensions, so that it looks after they have cleaned up. What
 * {@code @BeforeAll} opened belongs to the class. A class of {@code @TestInstance(PER_CLASS)} shares its fixtures
 * between its tests, which may start threads and pool connections at any time: there threads and descriptors are
 * checked once, at the end; log lines after each test all the same.
 *
 * <p>What is on its way out has 30 s to go, after a moment with garbage collections in between. A test's own waits by
 * Awaitility end as late, and look at once and every 10 ms. Threads are those of the platform; descriptors are seen on
 * Linux only, regular files are not counted. WARN and ERROR lines are allowed by {@link ExpectedLog}; those of
 * {@code io.webproxy.upstream} always, which say what the test's upstream does.
 */
public final class LeakCheck implements BeforeAllCallback, BeforeEachCallback, AfterEachCallback, AfterAllCallback {
    /** Configuration parameter: how long what is left may take to go, as an ISO-8601 duration. */
    static final String WAIT = "io.webproxy.testing.leakcheck.wait";

    /** More than a busy machine ever needs: only what fails waits so long. */
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private static final long SOON_NANOS = Duration.ofMillis(200).toNanos();

    private static final ExtensionContext.Namespace NAMESPACE = ExtensionContext.Namespace.create(LeakCheck.class);

    static {
        Awaitility.setDefaultTimeout(PATIENCE);
        Awaitility.setDefaultPollDelay(Duration.ZERO);
        Awaitility.setDefaultPollInterval(Duration.ofMillis(10));
    }

    /** What was there before the test or class. */
    private record Before(LiveThreads threads, OpenDescriptors descriptors) {
        static Before now() {
            return new Before(LiveThreads.now(), OpenDescriptors.now());
        }

        boolean isBack() {
            return !threads.hasNewSince() && !descriptors.hasNewSince();
        }

        /** What is new when it has had {@code wait} to go. */
        List<String> left(Duration wait) {
            if (isBack()) {
                return List.of();
            }
            AtomicLong due = new AtomicLong(System.nanoTime() + SOON_NANOS);
            try {
                await().pollInSameThread()
                        .pollDelay(Duration.ZERO)
                        .pollInterval(Duration.ofMillis(10))
                        .atMost(wait)
                        .until(() -> {
                            // most of it goes by itself, within a moment; a thread that is about to end needs the
                            // processor
                            long now = System.nanoTime();
                            if (now - due.get() > 0) {
                                System.gc();
                                due.set(System.nanoTime() + 10 * (System.nanoTime() - now));
                            }
                            return isBack();
                        });
                return List.of();
            } catch (ConditionTimeoutException e) {
                return Stream.concat(threads.newSince().stream(), descriptors.newSince().stream())
                        .toList();
            }
        }
    }

    @Override
    public void beforeAll(ExtensionContext context) {
        before(context);
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        before(context);
    }

    private static void before(ExtensionContext context) {
        ExtensionContext.Store store = context.getStore(NAMESPACE);
        // The class's capture serves its tests too; the context that made it closes it.
        store.getOrComputeIfAbsent(LogCapture.class);
        store.put(Before.class, Before.now());
    }

    @Override
    public void afterEach(ExtensionContext context) {
        boolean sharesFixtures =
                context.getTestInstanceLifecycle().equals(Optional.of(TestInstance.Lifecycle.PER_CLASS));
        after(context, !sharesFixtures);
    }

    @Override
    public void afterAll(ExtensionContext context) {
        after(context, true);
    }

    private static void after(ExtensionContext context, boolean resources) {
        ExtensionContext.Store store = context.getStore(NAMESPACE);
        Before before = store.get(Before.class, Before.class);
        LogCapture log = store.get(LogCapture.class, LogCapture.class);
        Duration wait =
                context.getConfigurationParameter(WAIT).map(Duration::parse).orElse(PATIENCE);

        List<String> leaks = new ArrayList<>();
        if (resources) {
            leaks.addAll(before.left(wait));
        }
        Optional<? extends AnnotatedElement> method = context.getTestMethod();
        List<ExpectedLog> required = method.map(LeakCheck::expectedOn).orElse(List.of());
        List<Class<?>> testClasses = new ArrayList<>(context.getEnclosingTestClasses());
        testClasses.add(context.getRequiredTestClass());
        List<ExpectedLog> allowed = testClasses.stream()
                .flatMap(testClass -> expectedOn(testClass).stream())
                .toList();
        leaks.addAll(log.take(required, allowed, wait));
        if (!leaks.isEmpty()) {
            forgive(context.getParent());
            throw new AssertionError(
                    "left behind by " + context.getDisplayName() + ":\n  " + String.join("\n  ", leaks));
        }
    }

    /** What a test has been failed for does not fail its class too. */
    private static void forgive(Optional<ExtensionContext> parent) {
        Before now = Before.now();
        for (; parent.isPresent(); parent = parent.get().getParent()) {
            ExtensionContext.Store store = parent.get().getStore(NAMESPACE);
            if (store.get(Before.class) != null) {
                store.put(Before.class, now);
            }
        }
    }

    private static List<ExpectedLog> expectedOn(AnnotatedElement element) {
        return AnnotationSupport.findRepeatableAnnotations(element, ExpectedLog.class);
    }
}
