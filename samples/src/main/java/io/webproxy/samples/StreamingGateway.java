package io.webproxy.samples;

import io.webproxy.ProxyServer;
import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.samples.demo.DemoService;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;

/** A gateway for chat completions and large files: prints the timeout class of each exchange. */
public final class StreamingGateway {
    private static final String HINTS = """
        try: curl -kN %1$sv1/chat/completions -d '{"stream": true}'
        try: curl -kN %1$sapi/chat -d '{}'
        try: curl -k %1$sreport
        try: curl -k -o /dev/null '%1$smodels/tiny.gguf?size=1000000000'
        """;

    private StreamingGateway() {}

    /** Serves until the JVM ends; takes the external port, default 8443. */
    public static void main(String[] args) throws InterruptedException {
        run(args.length == 0 ? 8443 : Integer.parseInt(args[0]), System.out);
    }

    static void run(int externalPort, PrintStream out) throws InterruptedException {
        try (DemoService service = DemoService.start();
                ProxyServer proxy = gateway(service.port(), externalPort, out)) {
            out.printf("ready %1$s%n" + HINTS, proxy.uri());
            proxy.awaitClose();
        }
    }

    private static ProxyServer gateway(int internalPort, int externalPort, PrintStream out) {
        return ProxyServer.builder()
                .https(externalPort)
                .route(r -> r.forward("http://127.0.0.1:" + internalPort).sseHeartbeat(Duration.ofSeconds(15)))
                .observer(ProxyObserver.async(new ClassPrinter(out), 1000))
                .closeOnShutdown(true)
                .start();
    }

    private record ClassPrinter(PrintStream out) implements ProxyObserver {
        @Override
        public void timeoutClassChanged(ExchangeRecord soFar) {
            out.printf(
                    "%s %s %s %s%n",
                    soFar.method(),
                    soFar.path(),
                    soFar.endClass() == soFar.startClass() ? "is" : "becomes",
                    soFar.endClass());
        }

        @Override
        public void exchangeEnded(ExchangeRecord ended) {
            out.printf(
                    Locale.ROOT,
                    "%s %s has ended as %s: %d, %d bytes in %.1f s%s%n",
                    ended.method(),
                    ended.path(),
                    ended.endClass(),
                    ended.status(),
                    ended.bytesOut(),
                    ended.total().toMillis() / 1000.0,
                    ended.error().map(error -> ", " + error).orElse(""));
        }
    }
}
