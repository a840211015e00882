package io.webproxy.samples;

import io.webproxy.ProxyServer;
import io.webproxy.acme.AcmeCertificates;
import io.webproxy.samples.demo.DemoService;
import io.webproxy.tls.Certificates;
import io.webproxy.tls.SelfSigned;
import java.io.PrintStream;
import java.nio.file.Path;

/**
 * An edge server that clients reach by its IP address: it serves a self-signed certificate at once, and a CA's as soon
 * as it is issued. Events and audio aren't buffered.
 *
 * <p>Arguments: the address, the external port and the directory of certificates; for another CA than Let's Encrypt,
 * the URL of its directory and a PEM file to trust. With two arguments it keeps the self-signed certificate.
 */
public final class EdgeServerWithIp {
    private EdgeServerWithIp() {}

    /** Serves until the JVM ends. */
    public static void main(String[] args) throws InterruptedException {
        if (args.length < 2) {
            System.err.println("usage: EdgeServerWithIp IP PORT [STORAGE [DIRECTORY_URL CA_FILE]]");
            return;
        }
        run(args, System.out);
    }

    static void run(String[] args, PrintStream out) throws InterruptedException {
        try (DemoService service = DemoService.start();
                ProxyServer proxy = ProxyServer.builder()
                        .https(Integer.parseInt(args[1]))
                        .certificates(certificates(args))
                        .forward("http://127.0.0.1:" + service.port())
                        .closeOnShutdown(true)
                        .start()) {
            String uri = proxy.uri().toString();
            out.printf("ready %s%ntry: curl -kN %2$sevents%ntry: curl -kN %2$saudio | aplay%n", uri, uri);
            proxy.awaitClose();
        }
    }

    private static Certificates certificates(String[] args) {
        SelfSigned atOnce = Certificates.selfSigned(args[0]);
        if (args.length < 3) {
            return atOnce;
        }
        Path storage = Path.of(args[2]);
        AcmeCertificates.Builder acme =
                AcmeCertificates.builder().names(args[0]).storage(storage).acceptTermsOfService();
        if (args.length > 4) {
            acme.directory(args[3]).trust(Path.of(args[4]));
        }
        return Certificates.firstOf(acme.build(), atOnce.storedIn(storage.resolve("self-signed")));
    }
}
