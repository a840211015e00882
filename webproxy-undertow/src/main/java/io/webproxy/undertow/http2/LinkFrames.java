package io.webproxy.undertow.http2;

/**
 * Handles the frames that mean the same in both roles: settings, windows and pings.
 *
 * <p>Not thread-safe: it belongs to the connection's IO thread.
 */
abstract class LinkFrames<S extends LinkStream> implements FrameReader.Handler {
    private final Http2Link<S> link;
    private boolean settled;

    LinkFrames(Http2Link<S> link) {
        this.link = link;
    }

    @Override
    public void settings(PeerSettings changed) {
        if (changed.table() >= 0) {
            link.encoder.tableLimit(changed.leastTable());
            link.encoder.tableLimit(changed.table());
        }
        if (changed.window() >= 0) {
            long more = changed.window() - link.initialSendWindow;
            link.initialSendWindow = changed.window();
            boolean inRange = true;
            for (S stream : link.streams.all()) {
                inRange &= stream.sink().widen(more);
            }
            if (!inRange) {
                link.goAway(ErrorCode.FLOW_CONTROL_ERROR);
                return;
            }
        }
        link.output.frame(FrameHead.SETTINGS, FrameHead.ACK, 0);
        link.turns.touch();
        if (!settled) {
            settled = true;
            link.settled();
        }
    }

    @Override
    public final void settingsAcknowledged() {
        link.growth.settled(link.sweeper.now());
    }

    @Override
    public final void windowUpdate(int id, int bytes) {
        if (id == 0) {
            if (!link.sender().widen(bytes)) {
                link.goAway(ErrorCode.FLOW_CONTROL_ERROR);
                return;
            }
        } else {
            S stream = link.streams.get(id);
            if (stream != null && !stream.sink().widen(bytes)) {
                link.reader().wasReset(id);
                reset(id, ErrorCode.FLOW_CONTROL_ERROR);
            }
        }
        link.turns.touch();
    }

    @Override
    public final void openWindow(int id, int bytes) {
        link.openWindow(id, bytes);
    }

    @Override
    public final void ping(long payload) {
        link.output.frame(FrameHead.PING, FrameHead.ACK, 0, payload);
        link.turns.touch();
    }

    @Override
    public void pong(long payload) {
        link.growth.pong(payload, link.bodies().isAmple());
    }
}
