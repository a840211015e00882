package io.webproxy.undertow.pipeline;

import io.webproxy.undertow.exchange.Exchanges;
import io.webproxy.undertow.exchange.LocalAnswer;
import java.util.List;
import java.util.Map;

/** Refuses requests while the server has no memory left for their bodies. */
record Memory(Exchanges exchanges) implements Stage {
    private static final Map<String, List<String>> RETRY = Map.of("Retry-After", List.of("1"));

    @Override
    public boolean pass(Passage passage) {
        if (exchanges.isCrowded()) {
            LocalAnswer.reject(passage.exchange(), 503, "The server has no memory to spare: try again later.", RETRY);
            return false;
        }
        return true;
    }
}
