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
                "|There is no command (expected: expose, port, public-proxy, private-proxy, agent-key or demo)",
                "bogus|There is no such command (expected: expose, port, public-proxy, private-proxy, agent-key or"
                        + " demo)",
                "--bogus|--bogus",
                "expose|--external-port: missing (expected: --external-port PORT)",
                "expose --internal-port 8080 --external-port|--external-port: no value (expected: --external-port"
                        + " PORT)",
                "expose --internal-port 1 --internal-port 2 --external-port 0|--internal-port: given twice (expected:"
                        + " once)",
                "expose --internal-port 8080|--external-port",
                "expose --external-port 0|--internal-port",
                "expose --internal-port 8080 --to http://127.0.0.1:1 --external-port 0|--to",
                "expose --internal-port 0 --external-port 0|--internal-port: 0 (expected: 1-65535)",
                "expose --internal-port 65536 --external-port 0|--internal-port: 65536 (expected: 1-65535)",
                "expose --internal-port 8080 --external-port -1|--external-port: -1 (expected: 0-65535)",
                "expose --internal-port 8080 --external-port 65536|--external-port: 65536 (expected: 0-65535)",
                "expose --internal-port 8080 --external-port https|--external-port: https (expected: 0-65535)",
                "expose --to ftp://127.0.0.1 --external-port 0|--to: ftp://127.0.0.1 (expected: http://host:port or"
                        + " https://host:port, h2c:// or https+h2:// for HTTP/2 and gRPC, port 1-65535,"
                        + " without user, path and query)",
                "expose --to http://127.0.0.1/path --external-port 0|--to: http://127.0.0.1/path (expected: ",
                "expose --to nonsense --external-port 0|--to: nonsense (expected: http://host:port",
                "expose --to localhost:1 --external-port 0|--to: localhost:1 (expected: http://localhost:1 or"
                        + " https://localhost:1, h2c://localhost:1 for gRPC)",
                "expose --to= --external-port 0|--to: empty (expected: --to URL)",
                "expose --internal-port x --external-port 0|--internal-port: x (expected: 1-65535)",
                "expose --internal-port 1 --external-port 0 --allow-upgrade h2c|--allow-upgrade: h2c (expected: one"
                        + " protocol, such as tcp or SPDY/3.1, but not h2c, HTTP, TLS or websocket)",
                "expose --route /a/=http://b --external-port 0 --allow-upgrade tcp|--allow-upgrade: given with routes"
                        + " alone (expected: --internal-port PORT or --to URL with it)",
                "expose --route /a/=http://b --external-port 0 --lenient-responses|--lenient-responses: given with"
                        + " routes alone (expected: --internal-port PORT or --to URL with it)",
                "expose --internal-port 1 --external-port 0 --host-header a/b|--host-header: a/b (expected: client,"
                        + " upstream, host or host:port)",
                "expose --internal-port 1 --external-port 0 --retry-on 429,401|--retry-on: 401 (expected: 400 to 599,",
                "expose --internal-port 1 --external-port 0 --retry-on busy|--retry-on: busy (expected: statuses from"
                        + " 400 to 599, such as 429,503)",
                "expose --route /a/=http://b --external-port 0 --retry-on-first-byte 1d|--retry-on-first-byte: 1d"
                        + " (expected: a number with ms, s, m or h, such as 20s)",
                "expose --internal-port 1 --external-port 0 --retry-on-first-byte 10ms|--retry-on-first-byte: PT0.01S"
                        + " (expected: 100 ms to 24 h, or 0 for never)",
                "expose --internal-port 1 --external-port 0 --retry-non-idempotent|--retry-non-idempotent: given alone"
                        + " (expected: --retry-on STATUS,… or --retry-on-first-byte TIME with it)",
                "expose --internal-port 1 --external-port 0 --balancing fast|--balancing: fast (expected: round-robin,",
                "expose --internal-port 1 --external-port 0 --balancing cookie:|--balancing:  (expected: the name of a",
                "expose --internal-port 1 --external-port 0 --slow-start 2h|--slow-start: PT2H (expected: 1 s to 1 h,",
                "expose --internal-port 1 --external-port 0 --send-user Host|--send-user: Host (expected: letters,"
                        + " digits",
                "expose --internal-port 1 --external-port 0 --forwarded-headers some|--forwarded-headers: some"
                        + " (expected: all, x-forwarded or none)",
                "expose --internal-port 1 --external-port 0 --host-header=|--host-header: empty (expected:"
                        + " --host-header HOST)",
                "expose --route =http://127.0.0.1:1 --external-port 0|--route: =http://127.0.0.1:1 (expected:"
                        + " HOST/PATH=URL",
                "expose --route //=http://127.0.0.1:1 --external-port 0|--route: //=http://127.0.0.1:1 (expected:"
                        + " HOST/PATH=URL",
                "expose --route api/=http://h:1 --external-port 0|--route: api/=http://h:1 (expected: /api/=http://h:1"
                        + " for the path, or //api/=http://h:1 for the host api)",
                "expose --route api=http://h:1 --external-port 0|(expected: /api=http://h:1 for the path, or"
                        + " //api/=http://h:1 for the host api)",
                "expose --strip v1/chat=http://h:1 --external-port 0|--strip: v1/chat=http://h:1 (expected:"
                        + " /v1/chat=http://h:1 for the path, or //v1/chat=http://h:1 for the host v1)",
                "expose --route /a=http://h:1, --external-port 0|--route: an empty URL (expected: http://host:port or"
                        + " https://host:port)",
                "expose --route /a=http://h:1,h:2 --external-port 0|--route: h:2 (expected: http://h:2 or https://h:2,"
                        + " h2c://h:2 for gRPC)",
                "expose --route /a=grpc://h:2 --external-port 0|--route: grpc://h:2 (expected: http://host:port or",
                "expose --route /a/=http://h:1 --route /a/=http://h:2 --external-port 0|--route: /a/ is given twice"
                        + " (expected: once, with its URLs separated by commas: /a/=http://h:1,http://h:2)",
                "expose --strip A.b/=http://h:1 --strip a.B/=http://h:2 --external-port 0|--strip: a.b/ is given twice"
                        + " (expected: once, with its URLs separated by commas: a.b/=http://h:1,http://h:2)",
                "expose --route /a/=http://h:1 --strip /a/=http://h:2 --external-port 0|--strip: /a/ is given twice"
                        + " (expected: either --route or --strip for it)",
                "expose --route /api/ --external-port 0|--route: /api/ (expected: HOST/PATH=URL",
                "expose --strip /api/=127.0.0.1:1 --external-port 0|--strip: /api/=127.0.0.1:1 (expected:"
                        + " HOST/PATH=URL",
                "expose --route a..b/=http://127.0.0.1:1 --external-port 0|--route: a..b (expected: a host name",
                "expose --route /a/../b=http://127.0.0.1:1 --external-port 0|--route: /a/../b (expected: a path",
                "expose --route /=http://127.0.0.1:1,nonsense --external-port 0|--route: nonsense",
                "expose --route /=http://127.0.0.1:1 --to http://127.0.0.1:2 --external-port 0|--route: / (expected:"
                        + " another host or path: all other requests go to --internal-port or --to)",
                "expose --to http://127.0.0.1:1 --external-port 0 --trusted-proxy 10.0.0.1/8|--trusted-proxy:"
                        + " 10.0.0.1/8 (expected: ",
                "expose --to http://127.0.0.1:1 --external-port 0 --plain --http-port 0|--http-port: given with"
                        + " --plain (expected: only one of them: it redirects to HTTPS)",
                "expose --to http://127.0.0.1:1 --external-port 9443 --http-port 9443|--http-port: 9443 (expected:"
                        + " another port than --external-port",
                "expose --to http://127.0.0.1:1 --external-port 0 --http-port 65536|--http-port: 65536 (expected:"
                        + " 0-65535)",
                "demo --external-port 99999|--external-port: 99999 (expected: 0-65535)",
                "demo --internal-port 1|Unknown option --internal-port",
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
                "--user a:b --password p4ss|--user: a:b (expected: ",
                "--user --password p4ss|--user: no value (expected: --user USER)",
                "--user a --user b --password p4ss|--user: given twice (expected: once)",
                "--password p4ss --password p4ss|--password: given twice (expected: once)",
                "--user alice --password p4ss --htpasswd users|--htpasswd",
                "--cert cert.pem|--key",
                "--key key.pem|--cert",
                "--cert cert.pem --key key.pem --keystore store.p12|--keystore",
                "--self-signed localhost --keystore store.p12|--keystore",
                "--keystore-password p4ss|--keystore-password: given without --keystore (expected: both)",
                "--key-password p4ss|--key-password: given without --key (expected: both)",
                "--self-signed-storage=|--self-signed-storage: empty (expected: --self-signed-storage DIR)",
                "--self-signed-storage d --cert c --key k|--self-signed-storage: given with --cert (expected: only one"
                        + " of them)",
                "--self-signed-storage d --keystore k|--self-signed-storage: given with --keystore (expected: only one"
                        + " of them)",
                "--plain --self-signed-storage d|--self-signed-storage: given with --plain",
                "--self-signed not/a/name|--self-signed: not/a/name (expected: a DNS name",
                "--self-signed a,,b|--self-signed:  (expected: a DNS name",
                "--self-signed=|--self-signed: empty (expected: --self-signed NAME)",
                "--acme a.example.com|--accept-terms: missing",
                "--acme-contact a@b.example|--acme: missing",
                "--acme-directory https://ca.example|--acme: missing",
                "--accept-terms|--acme: missing",
                "--acme a.example.com --accept-terms --self-signed localhost|only one of --acme,",
                "--acme a.example.com --accept-terms --cert cert.pem --key key.pem|only one of --acme,",
                "--acme not/a/name --accept-terms|--acme: not/a/name (expected: a DNS name in ASCII",
                "--acme *.example.com --accept-terms|--acme: *.example.com (expected: names without *: a wildcard"
                        + " needs DNS-01",
                "--acme a.example.com --accept-terms --acme-directory http://ca.example|--acme-directory:"
                        + " http://ca.example (expected: the https URL of an ACME directory)",
                "--acme a.example.com --accept-terms --acme-contact nobody|--acme-contact: nobody (expected: a mail"
                        + " address)",
                "--plain --acme a.example.com --accept-terms|--acme: given with --plain (expected: only one of them: a"
                        + " certificate is for HTTPS)",
                "--plain --cert cert.pem --key key.pem|--cert: given with --plain (expected: only one of them: a"
                        + " certificate is for HTTPS)",
                "--plain --key key.pem|--key: given with --plain",
                "--plain --keystore store.p12 --keystore-password p4ss|--keystore: given with --plain",
                "--plain --self-signed localhost|--self-signed: given with --plain",
                "--plain=maybe|--plain: maybe (expected: no value)",
                "--plain --plain|--plain: given twice (expected: once)",
                "--drain-time 5|--drain-time: 5 (expected: a whole number with ms, s, m or h)",
                "--drain-time none|--drain-time: none (expected: a whole number with ms, s, m or h)",
                "--drain-time 9000h|--drain-time: 9000h (expected: 0s to 365 days)",
                "--drain-time 99999999999999999999h|(expected: 0s to 365 days)",
                "--drain-time=|--drain-time: empty (expected: --drain-time TIME)",
                "--io-threads -1|--io-threads: -1 (expected: 0-1024)",
                "--io-threads many|--io-threads: many (expected: 0-1024)",
                "--io-threads 99999999999|--io-threads: 99999999999 (expected: 0-1024)",
                "--log-level loud|--log-level: loud (expected: error, warn, info, debug)",
                "--bind=|--bind: empty (expected: --bind ADDRESS)",
                "--htpasswd=|--htpasswd: empty (expected: --htpasswd FILE)",
                "--cert= --key=|--cert: empty (expected: --cert FILE)",
                "--access-log=|--access-log: empty (expected: --access-log FILE)",
                "--trusted-proxy=|--trusted-proxy: empty (expected: --trusted-proxy CIDR)",
                "--timeout long=10x|--timeout: long=10x (expected: a whole number with ms, s, m or h, or none)",
                "--timeout long=|--timeout: long= (expected: a whole number with ms, s, m or h, or none)",
                "--timeout long=-1s|--timeout: long=-1s (expected: a whole number with ms, s, m or h, or none)",
                "--timeout long=1.5s|--timeout: long=1.5s (expected: a whole number with ms, s, m or h, or none)",
                "--timeout long|--timeout: long (expected: a name, =, and a time, such as long=10m)",
                "--timeout=|--timeout: empty (expected: --timeout NAME=TIME,...)",
                "--timeout long=1s,|--timeout:  (expected: a name, =, and a time, such as long=10m)",
                "--timeout short=1s|--timeout: short=1s (expected: default, long, download, websocket, connect,"
                        + " first-byte, event-silence or total, each with a time)",
                "--timeout long=1s,LONG=2s|--timeout: LONG=2s (expected: long only once)",
                "--timeout default=99999999h|--timeout: default=99999999h (expected: none, or 1 ms to 3650 days)",
                "--timeout default=999999999999999h|--timeout: default=999999999999999h (expected: none, or 1 ms to"
                        + " 3650 days)",
                "--timeout long=9999999999999999h|--timeout: long=9999999999999999h (expected: none, or 1 ms to 3650"
                        + " days)",
                "--timeout long=99999999999999999999s|--timeout: long=99999999999999999999s (expected: none, or 1 ms"
                        + " to 3650 days)",
                "--timeout long=1s --timeout long=2s|--timeout: given twice (expected: once)",
                "--access-log-format json|--access-log-format: given without --access-log",
                "--access-log - --access-log-format xml|--access-log-format: xml (expected: combined, json)",
                "--metrics=|--metrics:  (expected: an address of this machine and a port, such as",
                "--metrics 9090|--metrics: 9090 (expected: an address of this machine and a port, such as"
                        + " 127.0.0.1:9090",
                "--metrics ::1:9090|--metrics: ::1:9090 (expected: an address of this machine and a port",
                "--metrics 127.0.0.1:99999|--metrics: 127.0.0.1:99999 (expected: an address of this machine and a port",
                "--status 9091|--status: 9091 (expected: an address of this machine and a port, such as 127.0.0.1:9090",
                "--status 0.0.0.0:9091|--status: 0.0.0.0:9091 (expected: a loopback address such as 127.0.0.1, or",
                "--metrics 0.0.0.0:9090|--metrics: 0.0.0.0:9090 (expected: a loopback address such as 127.0.0.1, or"
                        + " --user or --htpasswd with it",
                "--passwort p4ss|Unknown option --passwort (did you mean --password?)",
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
        Home.set();
        return cli.execute(arguments.isEmpty() ? new String[0] : arguments.split(" "));
    }
}
