package io.webproxy.undertow.deadline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.webproxy.testing.LeakCheck;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LeakCheck.class)
class IoBuffersTest {
    private final IoBuffers buffers = new IoBuffers(100, new BulkBuffers(1000, 16));

    private static List<PooledByteBuffer> take(ByteBufferPool from, int count) {
        return new ArrayList<>(Stream.generate(from::allocate).limit(count).toList());
    }

    private static Set<ByteBuffer> identities(List<PooledByteBuffer> taken) {
        Set<ByteBuffer> all = Collections.newSetFromMap(new IdentityHashMap<>());
        taken.forEach(each -> all.add(each.getBuffer()));
        return all;
    }

    private static int capacity(ByteBufferPool from) {
        try (PooledByteBuffer one = from.allocate()) {
            return one.getBuffer().capacity();
        }
    }

    @Test
    void threadKeepsAFewThatItGaveBack() throws Exception {
        List<PooledByteBuffer> first = take(buffers, 6);
        Set<ByteBuffer> before = identities(first);
        assertThat(before).hasSize(6).allMatch(each -> each.isDirect() && each.capacity() == 100);
        first.forEach(each -> each.getBuffer().position(7));
        first.forEach(PooledByteBuffer::close);
        Thread other = new Thread(() -> assertThat(identities(take(buffers, 6))).doesNotContainAnyElementsOf(before));
        other.start();
        other.join();
        List<PooledByteBuffer> second = take(buffers, 6);
        assertThat(second).allMatch(each -> each.getBuffer().remaining() == 100);
        Set<ByteBuffer> kept = identities(second);
        assertThat(kept).hasSize(6);
        kept.retainAll(before);
        assertThat(kept).hasSize(4);
    }

    @Test
    void bufferIsGivenBackOnce() {
        PooledByteBuffer one = buffers.allocate();
        assertThat(one.isOpen()).isTrue();
        one.close();
        one.close();
        assertThat(one.isOpen()).isFalse();
        assertThatThrownBy(one::getBuffer).isInstanceOf(IllegalStateException.class);
        assertThat(identities(take(buffers, 2))).hasSize(2);
    }

    @Test
    void bulkHasLargeBuffersAsLongAsSomeAreLeft() {
        ByteBufferPool bulk = buffers.forBulk();
        List<PooledByteBuffer> taken = take(bulk, 16);
        assertThat(taken).allMatch(each -> each.getBuffer().capacity() == 1000);
        assertThat(capacity(bulk)).isEqualTo(100);
        buffers.beginBulk();
        assertThat(capacity(buffers)).isEqualTo(100);
        taken.get(0).close();
        assertThat(capacity(buffers)).isEqualTo(1000);
        assertThat(capacity(bulk)).isEqualTo(1000);
        buffers.endBulk();
        assertThat(capacity(buffers)).isEqualTo(100);
    }

    @Test
    void largeBuffersAreFewAndGivenBack() {
        BulkBuffers buffers = new BulkBuffers();
        var taken = new ArrayList<PooledByteBuffer>();
        for (var next = buffers.take(); next != null; next = buffers.take()) {
            taken.add(next);
        }
        assertThat(taken).hasSize(16);
        taken.get(0).getBuffer().position(7);
        taken.get(0).close();
        taken.get(0).close();
        var again = buffers.take();
        assertThat(again).isNotNull();
        assertThat(again.getBuffer().position()).isZero();
        assertThat(buffers.take()).isNull();
    }

    @Test
    void bulkHasOrdinaryBuffersWhereMemoryIsSmall() {
        IoBuffers none = new IoBuffers(100, new BulkBuffers(1000, 0));
        assertThat(capacity(none.forBulk())).isEqualTo(100);
        none.beginBulk();
        assertThat(capacity(none)).isEqualTo(100);
    }

    @Test
    void bulkGoesOnWithoutMemoryForLargeBuffers() {
        IoBuffers none = new IoBuffers(100, new BulkBuffers(Integer.MAX_VALUE, 16));
        assertThat(capacity(none.forBulk())).isEqualTo(100);
        long start = System.nanoTime();
        assertThat(take(none.forBulk(), 100)).hasSize(100);
        assertThat(System.nanoTime() - start).as("there is no further attempt").isLessThan(5_000_000_000L);
    }
}
