package io.webproxy.undertow.http;

import io.webproxy.observe.ForwardError;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.Expiry;
import io.webproxy.undertow.forward.LocalAnswer;
import java.util.Map;

/** An exchange whose authenticator takes its time: it is under the same limits as one whose upstream does. Not thread-safe. */
final class AuthWait implements Expiry {
    private final Exchange exchange;
    private boolean over;

    AuthWait(Exchange exchange) {
        this.exchange = exchange;
    }

    /** The authenticator has decided; returns whether that still matters. */
    boolean decided() {
        if (over || exchange.isEnded()) {
            return false;
        }
        over = true;
        exchange.client().unwatch();
        return true;
    }

    @Override
    public void idle() {
        giveUp(ForwardError.RESPONSE_HEAD_TIMEOUT);
    }

    @Override
    public void overdue() {
        giveUp(ForwardError.TOTAL_TIMEOUT);
    }

    private void giveUp(ForwardError why) {
        if (decided()) {
            exchange.failed(why);
            LocalAnswer.send(exchange, 504, "The proxy couldn't check in time who you are.", Map.of());
        }
    }

    @Override
    public void lasting(long now) {
        if (!over) {
            exchange.client().watchForAbort(this::clientGone);
        }
    }

    private void clientGone() {
        if (decided()) {
            exchange.failed(ForwardError.CLIENT_ABORTED);
            exchange.recordStatus(499);
            exchange.client().abort();
        }
    }

    @Override
    public void cut() {
        exchange.client().abort();
    }

    @Override
    public void requestBroken(int status, String detail) {
        // nobody has read the body yet
    }
}
