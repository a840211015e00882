package io.webproxy.undertow.deadline;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MemoryRoomTest {
    private static final long MIB = 1 << 20;
    private static final long BUFFERS = 25 << 10;

    @ParameterizedTest
    @CsvSource({"16, 256, 150", "24, 768, 458", "128, 7400, 3900", "512, 32000, 15700"})
    void connectionsAndRequestsFitIntoTheHeap(int heap, int connections, int exchanges) {
        MemoryRoom room = new MemoryRoom(heap * MIB, heap * MIB, BUFFERS);
        int most = 0;
        while (room.fitsConnection(most, 0, 0)) {
            most++;
        }
        assertThat(most).isBetween(connections * 9 / 10, connections * 11 / 10);
        // what was measured: 4.4 KiB for each over TLS, beside 8 MiB for the server itself
        assertThat(most * 4.4 / 1024 + 8).isLessThan(heap);
        int requests = 0;
        while (room.fitsExchange(requests + 1, requests + 1, 0)) {
            requests++;
        }
        assertThat(requests).isBetween(exchanges * 9 / 10, exchanges * 11 / 10);
    }

    @Test
    void relaysThatCannotGoOnFitTheDirectMemory() {
        MemoryRoom room = new MemoryRoom(128 * MIB, 128 * MIB, BUFFERS);
        // three quarters of it, a buffer for each direction
        assertThat(room.fitsRelays(0, 3 * 1024, 16 << 10)).isTrue();
        assertThat(room.fitsRelays(0, 3 * 1024 + 1, 16 << 10)).isFalse();
        assertThat(room.fitsRelays(1, 3 * 1024, 16 << 10)).isFalse();
    }

    @Test
    void idleConnectionsLeaveRoomForRequests() {
        MemoryRoom room = new MemoryRoom(24 * MIB, 24 * MIB, BUFFERS);
        int idle = 0;
        while (room.fitsConnection(idle, 0, 0)) {
            idle++;
        }
        assertThat(room.fitsExchange(idle, 200, 0)).isTrue();
    }

    @Test
    void requestsLeaveRoomForAnotherConnection() {
        MemoryRoom room = new MemoryRoom(24 * MIB, 24 * MIB, BUFFERS);
        int requests = 0;
        while (room.fitsExchange(10, requests + 1, 0)) {
            requests++;
        }
        assertThat(room.fitsConnection(10, requests, 0)).isTrue();
    }

    @Test
    void directBuffersCountToo() {
        MemoryRoom room = new MemoryRoom(1024 * MIB, 8 * MIB, 32 << 10);
        assertThat(room.fitsExchange(200, 190, 0)).isTrue();
        assertThat(room.fitsExchange(200, 200, 0)).isFalse();
    }

    @Test
    void thisJvmHasRoom() {
        MemoryRoom room = MemoryRoom.ofJvm(BUFFERS);
        assertThat(room.fitsConnection(1000, 500, 0)).isTrue();
        assertThat(room.fitsExchange(1000, 500, 0)).isTrue();
    }
}
