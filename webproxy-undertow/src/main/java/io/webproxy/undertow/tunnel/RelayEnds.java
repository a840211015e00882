package io.webproxy.undertow.tunnel;

import io.webproxy.observe.RelayEnd;
import io.webproxy.undertow.relay.ByteRelay;

/** Maps the end of a relay to the value in its record; the client is on the left. Pure. */
final class RelayEnds {
    private RelayEnds() {}

    static RelayEnd of(ByteRelay.Ending how) {
        return switch (how) {
            case CLEAN -> RelayEnd.CLOSED;
            case LEFT_BROKEN -> RelayEnd.CLIENT_RESET;
            case RIGHT_BROKEN -> RelayEnd.TARGET_RESET;
            case CUT -> RelayEnd.CUT;
            case FAILED -> RelayEnd.FAILED;
        };
    }
}
