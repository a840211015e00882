import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import io.webproxy.ProxyServer;
import io.webproxy.acme.AcmeCertificates;
import io.webproxy.observe.CertificateEvent;
import io.webproxy.observe.ProxyObserver;
import io.webproxy.tls.CertificateStatus;
import io.webproxy.tls.Certificates;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigInteger;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.slf4j.LoggerFactory;

/**
 * One proxy with a CA for each fault, whose certificates are due for renewal, and one name that has none yet: under traffic every CA fails twice, then is well.
 * Arguments: the upstream's URI, the directory of the CA behind the faults, its PEM file, a PKCS#12 file without password for their own HTTPS, the root
 * that the CA issues from, an empty directory, the ports for HTTP and HTTPS. Ends with 1 when a request failed, an attempt came early or late, or what was said
 * of it isn't one event each and one WARN line for each CA.
 */
public final class CaFaults {
    private static final Duration LIFETIME = Duration.ofDays(90);
    private static final Duration AGE = Duration.ofDays(65);
    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    /** What an attempt, or what is said of it, may come late on a busy machine. */
    private static final Duration SLACK = Duration.ofSeconds(4);
    /** The shortest waits after the first and the second failure; a quarter is added at random. */
    private static final List<Duration> WAITS = List.of(Duration.ofMinutes(1), Duration.ofMinutes(2));

    private final KeyPair issuer = keyPair();
    private final X509Certificate issuerCertificate = certificate("CN=stored", null, issuer);
    private final List<Case> cases = new ArrayList<>();
    private final Queue<String> warnings = new ConcurrentLinkedQueue<>();

    /** One CA, and what has become of the name that it is to certify. */
    private static final class Case {
        final FaultyCa.Fault fault;
        final String name;
        final FaultyCa ca;
        final AcmeCertificates certificates;
        final BlockingQueue<News> events = new LinkedBlockingQueue<>();
        final List<String> wrong = new ArrayList<>();

        Case(FaultyCa.Fault fault, String name, FaultyCa ca, AcmeCertificates certificates) {
            this.fault = fault;
            this.name = name;
            this.ca = ca;
            this.certificates = certificates;
        }

        void expect(boolean holds, String what) {
            if (!holds) {
                wrong.add(what);
            }
        }
    }

    private CaFaults() throws Exception {}

    public static void main(String[] args) throws Exception {
        System.exit(new CaFaults().run(args) ? 0 : 1);
    }

    private boolean run(String[] args) throws Exception {
        Path directory = Path.of(args[5]);
        HttpClient client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .sslContext(context(Path.of(args[3]), Path.of(args[2])))
                .build();
        Path trust = Path.of(args[2]);
        for (FaultyCa.Fault fault : FaultyCa.Fault.values()) {
            cases.add(of(fault, true, args, directory, trust, client));
        }
        cases.add(of(FaultyCa.Fault.REFUSES_CONNECTIONS, false, args, directory, trust, client));
        ((Logger) LoggerFactory.getLogger("io.webproxy")).addAppender(collector());

        List<Certificates> sources = new ArrayList<>();
        cases.forEach(one -> sources.add(one.certificates));
        Case standIn = cases.get(cases.size() - 1);
        sources.add(Certificates.selfSigned(standIn.name).storedIn(directory.resolve("own")));
        try (ProxyServer proxy = ProxyServer.builder()
                .bind("127.0.0.1")
                .http(Integer.parseInt(args[6]))
                .https(Integer.parseInt(args[7]))
                .certificates(Certificates.firstOf(sources.toArray(new Certificates[0])))
                .forward(args[0].replaceAll("/$", ""))
                .observer(dispatcher())
                .drainTime(Duration.ofSeconds(1))
                .start()) {
            Path roots = directory.resolve("roots.pem");
            Files.writeString(
                    roots,
                    Files.readString(Path.of(args[4]))
                            + Files.readString(directory.resolve("own").resolve("self-signed.crt"))
                            + pem("CERTIFICATE", issuerCertificate.getEncoded()));
            Traffic traffic = new Traffic(proxy.uri().getPort(), roots);
            for (Case one : cases) {
                traffic.kept(one.name);
                traffic.handshakes(one.name);
            }
            List<Thread> threads = new ArrayList<>();
            for (Case one : cases) {
                Thread thread = new Thread(() -> follow(one, traffic));
                thread.start();
                threads.add(thread);
            }
            for (Thread thread : threads) {
                thread.join();
            }
            String figures = traffic.end();
            boolean ok = traffic.failures() == 0;
            for (Case one : cases) {
                ok &= one.wrong.isEmpty();
            }
            System.out.printf("%s: %s%n", figures, ok ? "ok" : "NOT OK");
            return ok;
        }
    }

    private Case of(FaultyCa.Fault fault, boolean stored, String[] args, Path directory, Path trust, HttpClient client)
            throws Exception {
        String name = fault.name().toLowerCase().replace('_', '-') + (stored ? "" : "-new") + ".example.com";
        String chain = pem("CERTIFICATE", issuerCertificate.getEncoded());
        FaultyCa ca = new FaultyCa(fault, context(Path.of(args[3]), trust), URI.create(args[1]), client, chain);
        Path storage = directory.resolve("storage");
        if (stored) {
            KeyPair pair = keyPair();
            Path file = storage.resolve(ca.storedAs())
                    .resolve("certificates")
                    .resolve(name)
                    .resolve("EC");
            Files.createDirectories(file.getParent());
            Files.writeString(
                    file,
                    pem("PRIVATE KEY", pair.getPrivate().getEncoded())
                            + pem(
                                    "CERTIFICATE",
                                    certificate("CN=" + name, name, pair).getEncoded()));
        }
        AcmeCertificates certificates = AcmeCertificates.builder()
                .names(name)
                .directory(ca.directory())
                .trust(trust)
                .storage(storage)
                .timeout(TIMEOUT)
                .acceptTermsOfService()
                .build();
        return new Case(fault, name, ca, certificates);
    }

    /** What has happened to a certificate. */
    private record News(String what, CertificateEvent event) {}

    private ProxyObserver dispatcher() {
        return new ProxyObserver() {
            @Override
            public void certificateObtained(CertificateEvent event) {
                tell("obtained", event);
            }

            @Override
            public void certificateRenewed(CertificateEvent event) {
                tell("renewed", event);
            }

            @Override
            public void certificateFailed(CertificateEvent event) {
                tell("failed", event);
            }

            @Override
            public void certificateChanged(CertificateEvent event) {
                tell("changed", event);
            }

            private void tell(String what, CertificateEvent event) {
                cases.stream()
                        .filter(one -> event.names().contains(one.name))
                        .forEach(one -> one.events.add(new News(what, event)));
            }
        };
    }

    private AppenderBase<ILoggingEvent> collector() {
        AppenderBase<ILoggingEvent> collector = new AppenderBase<>() {
            @Override
            protected void append(ILoggingEvent line) {
                if (line.getLevel().isGreaterOrEqual(Level.WARN)) {
                    warnings.add(line.getFormattedMessage());
                }
            }
        };
        collector.start();
        return collector;
    }

    private void follow(Case one, Traffic traffic) {
        try {
            X509Certificate before = traffic.presented(one.name);
            Instant expected = Instant.now();
            String said = "";
            long late = 0;
            List<Long> waits = new ArrayList<>();
            for (Duration shortest : WAITS) {
                News event = next(one, expected);
                Instant failed = Instant.now();
                if (event == null || !event.what().equals("failed")) {
                    one.wrong.add("no failure, but " + event);
                    break;
                }
                said = event.event().detail();
                Duration duration = Duration.between(expected, failed);
                late = Math.max(late, duration.toMillis());
                CertificateStatus status = one.certificates.status().get(0);
                one.expect(status.lastError().isPresent(), "the status knows no error");
                Instant next = status.nextAttempt().orElseThrow();
                Duration wait = Duration.between(failed, next);
                waits.add(wait.toSeconds());
                boolean asked = one.fault == FaultyCa.Fault.ANSWERS_429;
                Duration least = asked && shortest.toSeconds() < FaultyCa.RETRY_AFTER_SECONDS
                        ? Duration.ofSeconds(FaultyCa.RETRY_AFTER_SECONDS)
                        : shortest;
                Duration most =
                        least.equals(shortest) ? shortest.multipliedBy(5).dividedBy(4) : least;
                one.expect(
                        wait.compareTo(least.minus(SLACK)) >= 0 && wait.compareTo(most) <= 0,
                        "a wait of " + wait + ", not of " + least + " to " + most);
                expected = next;
                if (waits.size() == WAITS.size()) {
                    one.ca.heal();
                }
                sleepUntil(next.minusMillis(500));
                // the clients of a CA that has hung are told so just behind the failure
                one.expect(!one.ca.wasAsked(failed, Instant.now()), "asked before its time");
            }
            News renewed = next(one, expected);
            boolean stored = !one.name.contains("-new.");
            one.expect(
                    renewed != null && renewed.what().equals(stored ? "renewed" : "obtained"),
                    "not renewed once the CA was well, but " + renewed);
            one.expect(!traffic.presented(one.name).equals(before), "the old certificate is served on");
            one.expect(one.events.isEmpty(), "more was said: " + one.events);
            List<String> lines = warnings.stream()
                    .filter(line -> line.contains(one.name + ":"))
                    .toList();
            one.expect(lines.size() == 1, lines.size() + " WARN lines: " + lines);
            System.out.printf(
                    "%s: %d failures, %d WARN; waits %s s, attempts over %d ms behind their time at most; then %s."
                            + " Last: %s%s%n",
                    one.name,
                    waits.size(),
                    lines.size(),
                    waits,
                    late,
                    renewed == null ? "nothing" : renewed.what(),
                    said,
                    one.wrong.isEmpty() ? "" : " NOT OK: " + one.wrong);
        } catch (Exception e) {
            one.wrong.add(e.toString());
            e.printStackTrace();
        }
    }

    /** What happens by the next attempt. */
    private static News next(Case one, Instant expected) throws InterruptedException {
        Duration patience =
                Duration.between(Instant.now(), expected).plus(SLACK).plus(TIMEOUT);
        return one.events.poll(patience.toMillis(), TimeUnit.MILLISECONDS);
    }

    private static void sleepUntil(Instant moment) throws InterruptedException {
        Thread.sleep(Math.max(0, Instant.now().until(moment, ChronoUnit.MILLIS)));
    }

    private static SSLContext context(Path own, Path trusted) throws Exception {
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(own)) {
            keys.load(in, "changeit".toCharArray());
        }
        KeyManagerFactory managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(keys, "changeit".toCharArray());
        KeyStore trust = KeyStore.getInstance("PKCS12");
        trust.load(null, null);
        try (InputStream in = Files.newInputStream(trusted)) {
            trust.setCertificateEntry(
                    "ca", CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        TrustManagerFactory trustManagers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trustManagers.init(trust);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(managers.getKeyManagers(), trustManagers.getTrustManagers(), null);
        return context;
    }

    private static KeyPair keyPair() throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(256);
        return generator.generateKeyPair();
    }

    /** A certificate that is due for renewal; that of the issuer for no name. */
    private X509Certificate certificate(String subject, String name, KeyPair pair) throws Exception {
        Instant from = Instant.now().minus(AGE);
        JcaX509v3CertificateBuilder builder = new JcaX509v3CertificateBuilder(
                new X500Name("CN=stored"),
                BigInteger.valueOf(System.nanoTime()),
                Date.from(from),
                Date.from(from.plus(LIFETIME)),
                new X500Name(subject),
                pair.getPublic());
        builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(name == null));
        if (name != null) {
            builder.addExtension(
                    Extension.subjectAlternativeName,
                    false,
                    new GeneralNames(new GeneralName(GeneralName.dNSName, name)));
        }
        byte[] encoded = builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(issuer.getPrivate()))
                .getEncoded();
        try (InputStream in = new java.io.ByteArrayInputStream(encoded)) {
            return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
    }

    private static String pem(String type, byte[] content) throws IOException {
        return "-----BEGIN " + type + "-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content) + "\n-----END " + type
                + "-----\n";
    }
}
