package io.webproxy.undertow.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class HostNamesTest {
    private final List<Runnable> tasks = new ArrayList<>();
    private final AtomicInteger lookups = new AtomicInteger();
    private final ConcurrentLinkedQueue<List<InetAddress>> answers = new ConcurrentLinkedQueue<>();

    private HostNames names(HostNames.Lookup lookup) {
        return new HostNames(tasks::add, host -> {
            lookups.incrementAndGet();
            return lookup.addresses(host);
        });
    }

    @Test
    void slowLookUpTakesOneTaskForAllWhoWaitForIt() {
        HostNames names = names(host -> new InetAddress[] {InetAddress.getLoopbackAddress()});
        for (int i = 0; i < 50; i++) {
            names.find("db.example.com", answers::add);
        }
        assertThat(tasks).hasSize(1);
        tasks.remove(0).run();
        assertThat(lookups).hasValue(1);
        assertThat(answers).hasSize(50).allMatch(found -> found.size() == 1);
        // known now
        names.find("db.example.com", answers::add);
        assertThat(tasks).isEmpty();
        assertThat(answers).hasSize(51);
    }

    @Test
    void nameThatIsNotFoundIsLookedUpAgain() {
        HostNames names = names(host -> {
            throw new UnknownHostException(host);
        });
        for (int i = 0; i < 2; i++) {
            names.find("db.example.com", answers::add);
            assertThat(tasks).hasSize(1);
            tasks.remove(0).run();
        }
        assertThat(lookups).hasValue(2);
        assertThat(answers).hasSize(2).allMatch(List::isEmpty);
    }

    @Test
    void closedExecutorKeepsNobodyWaiting() {
        HostNames names = new HostNames(task -> {
            throw new RejectedExecutionException();
        });
        names.find("db.example.com", answers::add);
        names.find("db.example.com", answers::add);
        assertThat(answers).hasSize(2).allMatch(List::isEmpty);
    }
}
