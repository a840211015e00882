package io.webproxy.undertow.endpoint;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class HeldRoomTest {
    @Test
    void usualBytesAreFreeAndMoreIsShared() {
        HeldRoom room = new HeldRoom(10_000);
        HeldRoom.Share first = room.share();
        HeldRoom.Share second = room.share();
        assertThat(first.hold(4096)).isTrue();
        assertThat(room.held()).isZero();
        assertThat(first.hold(4096 + 6000)).isTrue();
        assertThat(second.hold(4096 + 5000)).isFalse();
        assertThat(room.held()).as("what was refused isn't counted").isEqualTo(6000);
        assertThat(second.hold(4096 + 4000)).isTrue();
        assertThat(first.hold(4096 + 6000)).as("no more than before").isTrue();
        first.free();
        first.free();
        assertThat(room.held()).isEqualTo(4000);
        assertThat(second.hold(4096 + 9000)).isTrue();
        second.free();
        assertThat(room.held()).isZero();
    }
}
