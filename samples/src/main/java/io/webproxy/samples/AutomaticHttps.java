package io.webproxy.samples;

import io.webproxy.ProxyServer;
import io.webproxy.acme.AcmeCertificates;
import io.webproxy.observe.CertificateEvent;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.samples.demo.DemoService;
import io.webproxy.tls.Certificates;
import java.io.PrintStream;
import java.nio.file.Path;

/**
 * HTTPS with a certificate that comes by itself: issued by a CA, renewed in time, kept across restarts. Until it is
 * there a self-signed one serves.
 *
 * <p>Arguments: the name, the directory to keep it in, and for another CA than Let's Encrypt its directory's URL, the
 * PEM file to trust it by, and the ports for HTTPS and HTTP in place of 443 and 80.
 */
public final class AutomaticHttps {
    private AutomaticHttps() {}

    /** Serves until the JVM is ended. */
    public static void main(String[] args) throws InterruptedException {
        if (args.length < 2) {
            System.err.println("usage: AutomaticHttps NAME STORAGE [DIRECTORY_URL CA_FILE [HTTPS_PORT HTTP_PORT]]");
            return;
        }
        run(args, System.out);
    }

    static void run(String[] args, PrintStream out) throws InterruptedException {
        AcmeCertificates.Builder acme = AcmeCertificates.builder()
                .names(args[0])
                .storage(Path.of(args[1]))
                .acceptTermsOfService();
        if (args.length > 3) {
            acme.directory(args[2]).trust(Path.of(args[3]));
        }
        try (DemoService service = DemoService.start();
                ProxyServer proxy = ProxyServer.builder()
                        .https(args.length > 5 ? Integer.parseInt(args[4]) : 443)
                        .redirectHttp(args.length > 5 ? Integer.parseInt(args[5]) : 80)
                        .certificates(Certificates.firstOf(acme.build(), Certificates.selfSigned(args[0])))
                        .forward("http://127.0.0.1:" + service.port())
                        .observer(new EventPrinter(out))
                        .closeOnShutdown(true)
                        .start()) {
            out.println("ready " + proxy.uri());
            proxy.awaitClose();
        }
    }

    private record EventPrinter(PrintStream out) implements ProxyObserver {
        @Override
        public void certificateChanged(CertificateEvent event) {
            out.println(event.kind() + " " + String.join(", ", event.names()) + ": " + event.detail());
        }
    }
}
