package io.webproxy.testing;

import static org.awaitility.Awaitility.await;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import okhttp3.tls.HeldCertificate;
import org.junit.jupiter.api.Assumptions;

/** Let's Encrypt's test CA, with a DNS server in which every name is 127.0.0.1, and ::1 by IPv6. */
public final class Pebble implements AutoCloseable {
    private final List<Process> processes = new ArrayList<>();
    private final int acmePort = freePort();
    private final int dnsPort = freePort();
    private final int dnsManagementPort = freePort();
    private final int managementPort = freePort();
    private final HttpClient http =
            HttpClient.newBuilder().executor(Runnable::run).build();
    private final Path directory;

    /** How a CA is to be. */
    public static final class Setup {
        private final Map<String, String> environment = new HashMap<>(Map.of("PEBBLE_VA_NOSLEEP", "1"));
        private final StringBuilder config = new StringBuilder();
        private boolean newest;

        /** Of a hundred requests, how many are answered with badNonce. */
        public Setup nonceReject(int percent) {
            environment.put("PEBBLE_WFE_NONCEREJECT", String.valueOf(percent));
            return this;
        }

        /** Of a hundred authorizations, how many are taken from earlier orders. */
        public Setup authorizationReuse(int percent) {
            environment.put("PEBBLE_AUTHZREUSE", String.valueOf(percent));
            return this;
        }

        /** Wants accounts to be bound to this one. */
        public Setup externalAccount(String keyId, String macKey) {
            config.append(", \"externalAccountBindingRequired\": true, \"externalAccountMACKeys\": {\"")
                    .append(keyId)
                    .append("\": \"")
                    .append(macKey)
                    .append("\"}");
            return this;
        }

        /** A version that has ARI and profiles, named by WEBPROXY_PEBBLE; without it the test is skipped. */
        public Setup newest() {
            newest = true;
            config.append(", \"profiles\": {\"default\": {\"description\": \"90 d\", \"validityPeriod\": 7776000},")
                    .append(" \"shortlived\": {\"description\": \"6 d\", \"validityPeriod\": 518400}}");
            return this;
        }

        /** Starts it; it asks for proof at these ports. */
        public Pebble start(int httpPort, int tlsPort) throws IOException {
            return new Pebble(this, httpPort, tlsPort);
        }
    }

    private Pebble(Setup setup, int httpPort, int tlsPort) throws IOException {
        Path program = program(setup.newest);
        Path dns = Peers.require("pebble-challtestsrv");
        directory = Files.createTempDirectory("pebble");
        HeldCertificate own = new HeldCertificate.Builder()
                .commonName("localhost")
                .addSubjectAlternativeName("127.0.0.1")
                .build();
        Files.writeString(trust(), own.certificatePem());
        Files.writeString(directory.resolve("key.pem"), own.privateKeyPkcs8Pem());
        Path config = directory.resolve("conf.json");
        Files.writeString(config, """
            {"pebble": {"listenAddress": "127.0.0.1:%d", "managementListenAddress": "127.0.0.1:%d",
             "certificate": "%s", "privateKey": "%s", "httpPort": %d, "tlsPort": %d, "ocspResponderURL": ""%s}}
            """.formatted(
                acmePort, managementPort, trust(), directory.resolve("key.pem"), httpPort, tlsPort, setup.config));
        try {
            start(
                    Map.of(),
                    dns.toString(),
                    "-defaultIPv6",
                    "",
                    "-defaultIPv4",
                    "127.0.0.1",
                    "-http01",
                    "",
                    "-https01",
                    "",
                    "-tlsalpn01",
                    "",
                    "-dns01",
                    "127.0.0.1:" + dnsPort,
                    "-management",
                    "127.0.0.1:" + dnsManagementPort);
            start(
                    setup.environment,
                    program.toString(),
                    "-config",
                    config.toString(),
                    "-dnsserver",
                    "127.0.0.1:" + dnsPort);
            for (int port : List.of(acmePort, dnsPort, dnsManagementPort)) {
                await().atMost(Duration.ofSeconds(30))
                        .pollInterval(Duration.ofMillis(20))
                        .ignoreExceptions()
                        .until(() -> answers(port));
            }
        } catch (IOException | RuntimeException e) {
            close();
            throw e;
        }
    }

    private static Path program(boolean newest) {
        if (!newest) {
            return Peers.require("pebble");
        }
        String named = System.getenv("WEBPROXY_PEBBLE");
        Assumptions.assumeTrue(named != null, "WEBPROXY_PEBBLE: not set (expected: a Pebble with ARI and profiles)");
        return Path.of(named);
    }

    private static boolean answers(int port) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return socket.isConnected();
        }
    }

    /** A port that nobody listens on right now, for a server that a CA has to know before it runs. */
    public static int freePort() {
        return FreePorts.next();
    }

    private void start(Map<String, String> environment, String... command) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectInput(new File("/dev/null"))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(
                        directory.resolve("log").toFile()));
        builder.environment().putAll(environment);
        processes.add(builder.start());
    }

    /** Where ACME begins. */
    public URI acmeDirectory() {
        return URI.create("https://127.0.0.1:" + acmePort + "/dir");
    }

    /** What its own HTTPS is trusted by. */
    public Path trust() {
        return directory.resolve("cert.pem");
    }

    /** Where its DNS server is asked. */
    public int dnsPort() {
        return dnsPort;
    }

    /** What the CA says about a certificate: {@code Valid} or {@code Revoked}. */
    public String status(X509Certificate certificate, HttpClient client) throws IOException, InterruptedException {
        URI uri = URI.create("https://127.0.0.1:" + managementPort + "/cert-status-by-serial/"
                + certificate.getSerialNumber().toString(16));
        String json = client.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString())
                .body();
        return json.replaceAll("(?s).*\"Status\": *\"(\\w+)\".*", "$1");
    }

    /** Tells the DNS server something: {@code set-txt}, {@code clear-txt}, … */
    public String dns(String command, String json) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(
                        URI.create("http://127.0.0.1:" + dnsManagementPort + "/" + command))
                .POST(HttpRequest.BodyPublishers.ofString(json))
                .build();
        HttpResponse<String> answer = http.send(request, HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() != 200) {
            throw new IOException(command + ": " + answer.statusCode() + " " + answer.body());
        }
        return answer.body();
    }

    @Override
    public void close() {
        for (Process process : processes) {
            process.destroyForcibly();
        }
        for (Process process : processes) {
            try {
                process.waitFor(30, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        File[] files = directory.toFile().listFiles();
        for (File file : files == null ? new File[0] : files) {
            file.delete();
        }
        directory.toFile().delete();
    }
}
