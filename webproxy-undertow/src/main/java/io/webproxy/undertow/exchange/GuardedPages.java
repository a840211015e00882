package io.webproxy.undertow.exchange;

import io.webproxy.ErrorPages;
import io.webproxy.http.Answer;
import io.webproxy.http.RequestHead;
import io.webproxy.observe.ForwardError;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The operator's error pages, guarded: if they throw, that is logged once, and the proxy's own page is sent.
 * Thread-safe.
 */
public final class GuardedPages implements ErrorPages {
    private static final Logger LOG = LoggerFactory.getLogger(GuardedPages.class);

    private final ErrorPages pages;
    private final AtomicBoolean failed = new AtomicBoolean();

    /** Guards these pages. */
    public GuardedPages(ErrorPages pages) {
        this.pages = pages;
    }

    @Override
    public Optional<Answer> page(int status, Optional<ForwardError> error, RequestHead request) {
        try {
            Optional<Answer> page = pages.page(status, error, request);
            if (page != null) {
                return page;
            }
            failed(new NullPointerException("no page (expected: an empty Optional for the proxy's own)"));
        } catch (Throwable e) {
            // whatever it is: the client is waiting
            failed(e);
        }
        return Optional.empty();
    }

    private void failed(Throwable why) {
        if (failed.compareAndSet(false, true)) {
            LOG.error("The error pages failed, which is logged once; the proxy's own are sent in their place", why);
        }
    }
}
