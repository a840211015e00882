package io.webproxy.undertow.exchange;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ClientPresenceTest {
    private static final TcpTable.Row OPEN = new TcpTable.Row("a b", 0, false);

    private final List<Boolean> left = new ArrayList<>();
    private final ClientPresence presence = new ClientPresence();

    @Test
    void oneWhoHasEndedItsDirectionHasLeft() {
        presence.answered(OPEN, left::add);
        assertThat(left).isEmpty();
        presence.answered(new TcpTable.Row("a b", 0, true), left::add);
        assertThat(left).containsExactly(false);
    }

    /** A table that changes while it is read may lack a line. */
    @Test
    void oneWhoIsMissingTwiceInARowIsGone() {
        presence.answered(null, left::add);
        presence.answered(OPEN, left::add);
        presence.answered(null, left::add);
        assertThat(left).isEmpty();
        presence.answered(null, left::add);
        assertThat(left).containsExactly(true);
    }
}
