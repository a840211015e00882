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
 * Automatic HTTPS: a CA issues the certificate, which is renewed in time and survives restarts. Until it is issued, a
 * self-signed one is served.
 *
 * <p>Arguments: the name and the directory of certificates; for another CA than Let's Encrypt, the URL of its directory
 * and a PEM file to trust; ports for HTTPS and HTTP instead of 443 and 80.
 */
public final class AutomaticHttps {
    private AutomaticHttps() {}

    /** Serves until the JVM ends. */
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
        public void certificateObtained(CertificateEvent event) {
            print("OBTAINED", event);
        }

        @Override
        public void certificateRenewed(CertificateEvent event) {
            print("RENEWED", event);
        }

        @Override
        public void certificateFailed(CertificateEvent event) {
            print("FAILED", event);
        }

        private void print(String what, CertificateEvent event) {
            out.println(what + " " + String.join(", ", event.names()) + ": " + event.detail());
        }
    }
}
