package io.webproxy.samples;

import io.webproxy.ProxyServer;
import io.webproxy.http.Answer;
import io.webproxy.http.RequestHead;
import io.webproxy.http.ResponseHead;
import io.webproxy.route.FilterDecision;
import io.webproxy.samples.demo.DemoService;
import java.io.PrintStream;

/**
 * A service that is told who its user is, in {@code X-Forwarded-User}, which clients can't set; a filter looks at the
 * request's user too, and another one at each response.
 */
public final class KnownUsers {
    private KnownUsers() {}

    /** Serves until the JVM ends; takes the external port, default 8443. */
    public static void main(String[] args) throws InterruptedException {
        run(args.length == 0 ? 8443 : Integer.parseInt(args[0]), System.out);
    }

    static void run(int externalPort, PrintStream out) throws InterruptedException {
        try (DemoService service = DemoService.start(0);
                ProxyServer proxy = ProxyServer.builder()
                        .https(externalPort)
                        .basicAuth("ann", "secret")
                        .route(r -> r.forward("http://127.0.0.1:" + service.port())
                                .sendUser("X-Forwarded-User")
                                .filter(KnownUsers::request)
                                .responseFilter(KnownUsers::response))
                        .closeOnShutdown(true)
                        .start()) {
            out.printf(
                    "ready %1$s%ntry: curl -k -u ann:secret %1$sapi/hello%n"
                            + "try: curl -k -u ann:secret -H 'X-Forwarded-User: root' %1$sapi/hello%n"
                            + "try: curl -ki -u ann:secret %1$snowhere%n",
                    proxy.uri());
            proxy.awaitClose();
        }
    }

    /** The user is known here: the request has passed authentication. */
    private static FilterDecision request(RequestHead request) {
        return FilterDecision.proceed().addTag("tenant", request.user().orElse("none"));
    }

    /** Nothing of the response was sent yet. */
    private static FilterDecision response(RequestHead request, ResponseHead response) {
        return response.status() == 404
                ? FilterDecision.answer(Answer.text(
                        404, "There is nothing here for " + request.user().orElse("you") + ".\n"))
                : FilterDecision.proceed().setHeader("X-Answer-Of", request.requestId());
    }
}
