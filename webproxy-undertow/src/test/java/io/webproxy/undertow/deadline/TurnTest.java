package io.webproxy.undertow.deadline;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TurnTest {
    @Test
    void endsBehindAQuarterOfAMebibyteAndTheNextOneStarts() {
        Turn turn = new Turn();
        for (int i = 0; i < 3; i++) {
            turn.moved(256 * 1024 - 1);
            assertThat(turn.isOver()).isFalse();
            turn.moved(1);
            assertThat(turn.isOver()).isTrue();
            assertThat(turn.isOver()).as("the next one").isFalse();
        }
    }

    @Test
    void bigPieceEndsOneTurnOnly() {
        Turn turn = new Turn();
        turn.moved(10 << 20);
        assertThat(turn.isOver()).isTrue();
        assertThat(turn.isOver()).isFalse();
    }
}
