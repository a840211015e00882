package io.webproxy.undertow.observe;

import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ProxyObserver;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Hands each record to the observers and the access log. Thread-safe; never lets an observer's failure out. */
public final class Recorder {
    private static final Logger LOG = LoggerFactory.getLogger(Recorder.class);

    private final Set<ProxyObserver> failed = ConcurrentHashMap.newKeySet();
    private volatile List<ProxyObserver> observers;
    private volatile boolean accessLog;

    /** A recorder for these observers, with or without the access log. */
    public Recorder(List<ProxyObserver> observers, boolean accessLog) {
        this.observers = List.copyOf(observers);
        this.accessLog = accessLog;
    }

    /** Others from now on. */
    public void update(List<ProxyObserver> others, boolean withAccessLog) {
        observers = List.copyOf(others);
        accessLog = withAccessLog;
    }

    /** Whether anybody wants records. */
    public boolean isWanted() {
        return !observers.isEmpty() || (accessLog && AccessLog.isEnabled());
    }

    /** An exchange has ended. */
    public void ended(ExchangeRecord exchange) {
        if (accessLog) {
            AccessLog.log(exchange);
        }
        for (ProxyObserver observer : observers) {
            try {
                observer.exchangeEnded(exchange);
            } catch (RuntimeException e) {
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
