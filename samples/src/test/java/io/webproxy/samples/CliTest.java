package io.webproxy.samples;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.samples.cli.Cli;
import io.webproxy.testing.LeakCheck;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

@ExtendWith(LeakCheck.class)
class CliTest {
    private static final String VALID = "expose --to http://127.0.0.1:9 --external-port 0 ";

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final CommandLine cli =
            Cli.commandLine().setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));

    @ParameterizedTest
    @CsvSource({"' --plain', --internal-port, ''", "'', --internal-port, ''", "' --plain', --to, http://localhost:"})
    void exposingTheExternalPortIsOneSentenceAndExitStatus1(String plain, String option, String host) throws Exception {
        // in use, so that nothing could be opened there
        try (ServerSocket used = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            int port = used.getLocalPort();
            assertThat(execute("expose --external-port " + port + " " + option + " " + host + port + plain))
                    .isEqualTo(1);
            assertThat(err.toString())
                    .startsWith("webproxy: route /: its upstream http://")
                    .contains(":" + port + " is an endpoint of this server (expected: ")
                    .hasLineCount(1);
            assertThat(out.toString()).isEmpty();
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "|Missing required subcommand",
                "bogus|no such command",
                "--bogus|--bogus",
                "expose|--external-port",
                "expose --internal-port 8080|--external-port",
                "expose --external-port 0|--internal-port",
                "expose --internal-port 8080 --to http://127.0.0.1:1 --external-port 0|--to",
                "expose --internal-port 0 --external-port 0|--internal-port: 0 (expected: 1-65535)",
                "expose --internal-port 65536 --external-port 0|--internal-port: 65536 (expected: 1-65535)",
                "expose --internal-port 8080 --external-port -1|port: -1 (expected: 0-65535)",
                "expose --internal-port 8080 --external-port 65536|port: 65536 (expected: 0-65535)",
                "expose --internal-port 8080 --external-port https|--external-port",
                "expose --to ftp://127.0.0.1 --external-port 0|forward: ftp://127.0.0.1",
                "expose --to http://127.0.0.1/path --external-port 0|forward: http://127.0.0.1/path",
                "expose --to nonsense --external-port 0|forward: nonsense",
                "expose --route /api/ --external-port 0|--route: /api/ (expected: HOST/PATH=URL",
                "expose --strip /api/=127.0.0.1:1 --external-port 0|--strip: /api/=127.0.0.1:1 (expected: HOST/PATH=URL",
                "expose --route a..b/=http://127.0.0.1:1 --external-port 0|route.host: a..b",
                "expose --route /a/../b=http://127.0.0.1:1 --external-port 0|route.path: /a/../b",
                "expose --route /=http://127.0.0.1:1,nonsense --external-port 0|forward: nonsense",
                "expose --route /=http://127.0.0.1:1 --to http://127.0.0.1:2 --external-port 0|route: /",
                "expose --to http://127.0.0.1:1 --external-port 0 --trusted-proxy 10.0.0.1/8|address range: 10.0.0.1/8",
                "expose --to http://127.0.0.1:1 --external-port 0 --plain --http-port 0|redirectHttp: 0 (expected: an https(port)",
                "demo --external-port 99999|port: 99999 (expected: 0-65535)",
                "service --internal-port 99999|--internal-port: 99999 (expected: 0-65535)",
            })
    void wrongArgumentsAreOneSentenceAndExitStatus2(String arguments, String contains) {
        assertThat(execute(arguments == null ? "" : arguments)).isEqualTo(2);
        assertThat(err.toString()).startsWith("webproxy: ").contains(contains).hasLineCount(1);
        assertThat(out.toString()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--user alice|--password",
                "--password p4ss|--user",
                "--user alice --password=|--password",
                "--user= --password p4ss|--user",
                "--user= --password=|--user",
                "--user a:b --password p4ss|user",
                "--user alice --password p4ss --htpasswd users|--htpasswd",
                "--cert cert.pem|--key",
                "--key key.pem|--cert",
                "--cert cert.pem --key key.pem --keystore store.p12|--keystore",
                "--self-signed localhost --keystore store.p12|--keystore",
                "--keystore-password p4ss|--keystore",
                "--self-signed not/a/name|selfSigned: not/a/name",
                "--acme a.example.com|--accept-terms: missing",
                "--acme-contact a@b.example|--acme: missing",
                "--acme-directory https://ca.example|--acme: missing",
                "--accept-terms|--acme: missing",
                "--acme a.example.com --accept-terms --self-signed localhost|only one of --acme,",
                "--acme a.example.com --accept-terms --cert cert.pem --key key.pem|only one of --acme,",
                "--acme not/a/name --accept-terms|names: not/a/name (expected: a DNS name in ASCII",
                "--acme *.example.com --accept-terms|names: *.example.com (expected: dns(…) with it: a wildcard needs DNS_01)",
                "--acme a.example.com --accept-terms --acme-directory http://ca.example|directory: http://ca.example (expected: the https URL of an ACME directory)",
                "--acme a.example.com --accept-terms --acme-contact nobody|contact: nobody (expected: a mail address)",
                "--plain --acme a.example.com --accept-terms|certificates",
                "--plain --cert cert.pem --key key.pem|certificates",
                "--io-threads -1|ioThreads: -1",
                "--bind=|bind",
                "--timeout long=10x|--timeout: long=10x (expected: a whole number with ms, s, m or h, or none)",
                "--timeout long=|--timeout: long= (expected: a whole number with ms, s, m or h, or none)",
                "--timeout long=-1s|--timeout: long=-1s (expected: a whole number with ms, s, m or h, or none)",
                "--timeout long=1.5s|--timeout: long=1.5s (expected: a whole number with ms, s, m or h, or none)",
                "--timeout long|--timeout: long (expected: a name, =, and a time, such as long=10m)",
                "--timeout=|--timeout:  (expected: a name, =, and a time, such as long=10m)",
                "--timeout long=1s,|--timeout:  (expected: a name, =, and a time, such as long=10m)",
                "--timeout short=1s|--timeout: short=1s (expected: default, long, download, websocket, connect or total",
                "--timeout long=1s,LONG=2s|--timeout: LONG=2s (expected: long only once)",
                "--timeout default=99999999h|timeouts.DEFAULT: PT99999999H (expected: 0 for no limit, or 1 ms to 3650 days)",
                "--timeout default=999999999999999h|timeouts.DEFAULT",
                "--timeout long=9999999999999999h|--timeout: long=9999999999999999h (expected: none, or 1 ms to 3650 days)",
                "--timeout long=99999999999999999999s|--timeout: long=99999999999999999999s (expected: none, or 1 ms to 3650 days)",
                "--timeout long=1s --timeout long=2s|--timeout",
                "--access-log-format json|--access-log-format: given without --access-log",
                "--access-log - --access-log-format xml|--access-log-format",
                "--passwort p4ss|--passwort",
                "--passwort=p4ss|--passwort",
                "p4ss|belongs to no option",
            })
    void wrongOptionsAreOneSentenceWithoutSecrets(String options, String contains) {
        assertThat(execute(VALID + options)).isEqualTo(2);
        assertThat(err.toString())
                .startsWith("webproxy: ")
                .contains(contains)
                .hasLineCount(1)
                .doesNotContain("p4ss");
        assertThat(out.toString()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"--help", "-h", "expose --help", "demo --help", "service --help"})
    void helpIsASuccess(String arguments) {
        assertThat(execute(arguments)).isZero();
        assertThat(out.toString()).startsWith("Usage: webproxy");
        assertThat(err.toString()).isEmpty();
    }

    @Test
    void helpDoesNotNameTheServiceCommand() {
        execute("--help");
        assertThat(out.toString()).contains("expose", "demo").doesNotContain("  service");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--version", "-V", "demo --version"})
    void versionIsASuccess(String arguments) {
        assertThat(execute(arguments)).isZero();
        assertThat(out.toString()).startsWith("webproxy ").hasLineCount(1);
    }

    private int execute(String arguments) {
        return cli.execute(arguments.isEmpty() ? new String[0] : arguments.split(" "));
    }
}
