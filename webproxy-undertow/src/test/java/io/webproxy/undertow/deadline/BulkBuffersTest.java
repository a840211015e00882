package io.webproxy.undertow.deadline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.undertow.connector.PooledByteBuffer;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class BulkBuffersTest {
    @Test
    void bufferIsGivenBackOnceAndCannotBeUsedAfterwards() {
        BulkBuffers buffers = new BulkBuffers(16, 2);
        PooledByteBuffer first = Objects.requireNonNull(buffers.take());
        first.close();
        first.close();
        assertThat(first.isOpen()).isFalse();
        assertThatThrownBy(first::getBuffer).isInstanceOf(IllegalStateException.class);

        PooledByteBuffer second = Objects.requireNonNull(buffers.take());
        PooledByteBuffer third = Objects.requireNonNull(buffers.take());
        assertThat(second.getBuffer()).isNotSameAs(third.getBuffer());
        assertThat(buffers.take()).isNull();
    }
}
