package io.webproxy.undertow.observe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.webproxy.observe.CertificateEvent;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slf4j.LoggerFactory;

/** What an observer behind a queue throws: here, where there is a logger that can be read. */
@ExtendWith(LeakCheck.class)
class AsyncObserverLogTest {
    private static final CertificateEvent CHANGE = CertificateEvent.of(List.of("example.com"), "Done.");

    @Test
    @ExpectedLog(logger = "io.webproxy.observe.AsyncObserver", contains = "thrown by the test")
    void throwingObserverIsLoggedOnceAndToldOfTheNextChangesToo() throws InterruptedException {
        CountDownLatch told = new CountDownLatch(3);
        ProxyObserver async = ProxyObserver.async(
                new ProxyObserver() {
                    @Override
                    public void certificateChanged(CertificateEvent change) {
                        told.countDown();
                        throw new IllegalStateException("thrown by the test");
                    }
                },
                10);
        Logger logger = (Logger) LoggerFactory.getLogger("io.webproxy.observe.AsyncObserver");
        ListAppender<ILoggingEvent> appender = new ListAppender<>();
        appender.start();
        logger.addAppender(appender);
        try {
            for (int i = 0; i < 3; i++) {
                async.certificateChanged(CHANGE);
            }
            assertThat(told.await(30, TimeUnit.SECONDS)).isTrue();
            await().until(() -> Thread.getAllStackTraces().keySet().stream()
                    .noneMatch(thread -> thread.getName().equals("webproxy-observer")));
        } finally {
            logger.detachAppender(appender);
        }

        assertThat(appender.list).singleElement().satisfies(event -> {
            assertThat(event.getLevel()).isEqualTo(Level.WARN);
            assertThat(event.getFormattedMessage()).contains(getClass().getName(), "logged once");
            assertThat(event.getThrowableProxy().getMessage()).isEqualTo("thrown by the test");
        });
    }
}
