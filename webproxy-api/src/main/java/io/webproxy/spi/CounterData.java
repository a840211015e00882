package io.webproxy.spi;

import java.util.Map;

/** What a server counts of its connections. The parameters are those of {@link io.webproxy.ProxyStatus}. */
public record CounterData(
        int lingering,
        Map<String, Long> refusals,
        Map<String, Long> handshakes,
        Map<String, Long> resumedHandshakes,
        long failedHandshakes,
        long descriptors,
        long descriptorLimit,
        long descriptorReserve) {
    /** Nothing counted. */
    public static final CounterData NONE = new CounterData(0, Map.of(), Map.of(), Map.of(), 0, 0, 0, 0);

    /** Copies the collections. */
    public CounterData {
        refusals = Map.copyOf(refusals);
        handshakes = Map.copyOf(handshakes);
        resumedHandshakes = Map.copyOf(resumedHandshakes);
    }
}
