package io.webproxy.samples;

import io.webproxy.ProxyServer;
import io.webproxy.acme.AcmeCertificates;
import io.webproxy.samples.demo.DemoService;
import io.webproxy.tls.CertificateSource;
import io.webproxy.tls.Certificates;
import io.webproxy.tls.SelfSigned;
import java.io.PrintStream;
import java.nio.file.Path;

/**
 * An edge box that clients reach by its IP address: a self-signed certificate for the address serves at once, and one
 * of a CA as soon as it can be had. Events and audio flow unbuffered.
 *
 * <p>Arguments: the address, the external port, the directory to keep certificates in, and for another CA than Let's
 * Encrypt its directory's URL and the PEM file to trust it by. With two arguments the self-signed certificate stays.
 */
public final class EdgeServerWithIp {
    private EdgeServerWithIp() {}

    /** Serves until the JVM is ended. */
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

    private static CertificateSource certificates(String[] args) {
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
