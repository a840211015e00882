package io.webproxy.undertow.pipeline;

import io.webproxy.observe.ForwardError;
import io.webproxy.spi.RateLimit;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.LocalAnswer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Refuses requests of clients that send more of them than the route's rate limit allows. */
final class Rates implements Stage {
    @Override
    public boolean pass(Passage passage) {
        Exchange exchange = passage.exchange();
        RateLimit limit = exchange.route().access().rateLimit().orElse(null);
        if (limit == null) {
            return true;
        }
        long now = exchange.shared().nanoClock().getAsLong();
        long wait = passage.settings()
                .rates()
                .take(exchange.route(), limit, exchange.head().clientAddress(), now);
        if (wait == 0) {
            return true;
        }
        exchange.failed(ForwardError.REQUEST_REJECTED);
        long seconds = TimeUnit.NANOSECONDS.toSeconds(wait + TimeUnit.SECONDS.toNanos(1) - 1);
        LocalAnswer.send(
                exchange, 429, "Too many requests: try again later.", Map.of("Retry-After", List.of(seconds + "")));
        return false;
    }
}
