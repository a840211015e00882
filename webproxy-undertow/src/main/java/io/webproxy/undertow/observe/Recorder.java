package io.webproxy.undertow.observe;

import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.observe.RelayRecord;
import io.webproxy.spi.AccessLogFormat;
import io.webproxy.spi.ExchangeData;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Passes records to the observers and the logs, and events to the observers. Thread-safe; an observer's failure never
 * reaches the caller.
 */
public final class Recorder {
    private static final Logger LOG = LoggerFactory.getLogger(Recorder.class);

    private final Set<ProxyObserver> failed = ConcurrentHashMap.newKeySet();
    private volatile List<ProxyObserver> observers;
    /** Those of them that want to hear of timeout classes: for the others no record is made before the end. */
    private volatile List<ProxyObserver> classObservers;

    private volatile @Nullable AccessLogFormat accessLog;

    /** For these observers, and an access log in this format; null for no access log. */
    public Recorder(List<ProxyObserver> observers, @Nullable AccessLogFormat accessLog) {
        this.observers = List.copyOf(observers);
        this.classObservers = ofClasses(observers);
        this.accessLog = accessLog;
    }

    /** Replaces the observers and the format. */
    public void update(List<ProxyObserver> others, @Nullable AccessLogFormat format) {
        observers = List.copyOf(others);
        classObservers = ofClasses(others);
        accessLog = format;
    }

    private static List<ProxyObserver> ofClasses(List<ProxyObserver> observers) {
        return observers.stream().filter(Recorder::hearsOfClasses).toList();
    }

    private static boolean hearsOfClasses(ProxyObserver observer) {
        try {
            return observer.getClass()
                            .getMethod("timeoutClassChanged", ExchangeRecord.class)
                            .getDeclaringClass()
                    != ProxyObserver.class;
        } catch (ReflectiveOperationException | LinkageError e) {
            // better told in vain
            return true;
        }
    }

    /** Whether records are needed. */
    public boolean isWanted() {
        return !observers.isEmpty()
                || (accessLog != null && AccessLog.isEnabled())
                || FlightEvents.areExchangesWanted();
    }

    /** An exchange has ended. */
    public void ended(ExchangeData exchange) {
        AccessLogFormat format = accessLog;
        if (format != null) {
            AccessLog.log(exchange, format);
        }
        FlightEvents.ended(exchange);
        tell(observer -> observer.exchangeEnded(exchange));
    }

    /** The timeout class of an exchange was chosen or changed; {@code soFar} is evaluated only if somebody wants it. */
    public void timeoutClassChanged(Supplier<ExchangeData> soFar) {
        List<ProxyObserver> told = classObservers;
        if (!told.isEmpty() || FlightEvents.areUpgradesWanted()) {
            ExchangeData made = soFar.get();
            FlightEvents.upgraded(made);
            tell(told, observer -> observer.timeoutClassChanged(made));
        }
    }

    /** A connection of a port rule has ended. */
    public void relayEnded(RelayRecord relay) {
        RelayLog.log(relay);
        tell(observer -> observer.relayEnded(relay));
    }

    /** Whether records of relays are needed. */
    public boolean isRelayWanted() {
        return !observers.isEmpty() || RelayLog.isEnabled();
    }

    /** Calls each observer. */
    public void tell(Consumer<ProxyObserver> what) {
        tell(observers, what);
    }

    private void tell(List<ProxyObserver> told, Consumer<ProxyObserver> what) {
        for (ProxyObserver observer : told) {
            try {
                what.accept(observer);
            } catch (Throwable e) {
                if (failed.add(observer)) {
                    LOG.warn(
                            "Observer {} failed, which is logged once; exchanges are not affected",
                            observer.getClass().getName(),
                            e);
                }
            }
        }
    }
}
