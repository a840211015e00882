package io.webproxy.undertow.pipeline;

import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.exchange.HeadProblem;
import io.webproxy.undertow.exchange.LocalAnswer;

/** Refuses a head that the codec or {@link RequestGuard} found malformed. */
final class HeadCheck implements Stage {
    @Override
    public boolean pass(Passage passage) {
        Exchange exchange = passage.exchange();
        HeadProblem problem = exchange.client().headProblem();
        RequestGuard.Refusal refusal = problem != null
                ? new RequestGuard.Refusal(problem.status(), problem.detail())
                : RequestGuard.check(
                        exchange.http(),
                        passage.hasPath() ? passage.path() : null,
                        passage.settings().limits(),
                        exchange.client().isMultiplexed(),
                        exchange.client().isTunnelRequest());
        if (refusal != null) {
            LocalAnswer.reject(exchange, refusal.status(), refusal.detail(), refusal.fields());
        } else if (!passage.hasPath()) {
            LocalAnswer.reject(exchange, 400, "The request target is malformed.");
        }
        return refusal == null && passage.hasPath();
    }
}
