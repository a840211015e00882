package io.webproxy.undertow.pipeline;

import io.webproxy.http.Answer;
import io.webproxy.http.StatusPage;
import io.webproxy.undertow.exchange.Exchange;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** What a route answers that has the status page. Thread-safe; called on the exchange's IO thread. */
@FunctionalInterface
public interface StatusAnswer {
    /** The answer, or null if it is given as a stream. */
    @Nullable CompletionStage<Answer> answer(Exchange exchange, StatusPage page);
}
