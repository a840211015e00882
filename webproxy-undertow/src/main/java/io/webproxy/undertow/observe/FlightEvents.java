package io.webproxy.undertow.observe;

import io.webproxy.spi.ExchangeData;
import jdk.jfr.FlightRecorder;

/**
 * Events for Java Flight Recorder: exchanges, TLS handshakes and upgrades of timeout classes. Nothing of JFR is
 * started, and no event made, unless something records; without the module {@code jdk.jfr} there are none.
 */
public final class FlightEvents {
    private static final boolean THERE =
            ModuleLayer.boot().findModule("jdk.jfr").isPresent();

    private FlightEvents() {}

    /** Whether anything may be recording: then times are worth taking. */
    public static boolean isRecording() {
        return THERE && FlightRecorder.isInitialized();
    }

    /** Whether exchanges are recorded. */
    static boolean areExchangesWanted() {
        return isRecording() && new ExchangeEvent().isEnabled();
    }

    /** An exchange has ended. */
    static void ended(ExchangeData exchange) {
        if (isRecording()) {
            ExchangeEvent event = new ExchangeEvent();
            if (event.shouldCommit()) {
                event.of(exchange);
                event.commit();
            }
        }
    }

    /** Whether upgrades of timeout classes are recorded. */
    static boolean areUpgradesWanted() {
        return isRecording() && new ClassUpgradeEvent().isEnabled();
    }

    /** A timeout class was chosen or upgraded; only the latter is recorded. */
    static void upgraded(ExchangeData soFar) {
        if (soFar.startClass() != soFar.endClass() && isRecording()) {
            ClassUpgradeEvent event = new ClassUpgradeEvent();
            event.requestId = soFar.requestId();
            event.route = soFar.routeOrNull();
            event.startClass = soFar.startClass().name();
            event.endClass = soFar.endClass().name();
            event.commit();
        }
    }

    /**
     * A TLS handshake of a client has ended.
     *
     * @param nanos how long it took
     */
    public static void handshake(boolean failed, String version, String protocol, boolean resumed, long nanos) {
        if (isRecording()) {
            HandshakeEvent event = new HandshakeEvent();
            event.failed = failed;
            event.version = version;
            event.protocol = protocol;
            event.resumed = resumed;
            event.total = nanos;
            event.commit();
        }
    }
}
