package io.webproxy.samples;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.samples.cli.Cli;
import io.webproxy.testing.LeakCheck;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

@ExtendWith(LeakCheck.class)
class CliPortTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final CommandLine cli =
            Cli.commandLine().setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                // which connections
                "''|There is no rule (expected: at least one of --ssh, --http, --tls, ",
                "--detect-time 1s|There is no rule",
                "--ssh 22|--ssh: 22 (expected: host:port, such as 127.0.0.1:22 or [2001:db8::1]:22)",
                "--ssh here|--ssh: here (expected: host:port",
                "--ssh ssh://h:22|--ssh: ssh://h:22 (expected: host:port",
                "--ssh ::1:22|--ssh: ::1:22 (expected: host:port",
                "--ssh h:0|--ssh: h:0 (expected: host:port",
                "--ssh h:65536|--ssh: h:65536 (expected: host:port",
                "--ssh h:22,|--ssh: an empty target (expected: HOST:PORT, such as 127.0.0.1:22)",
                "--ssh=|--ssh: empty (expected: --ssh HOST:PORT)",
                "--ssh h:22 --ssh h:23|--ssh: given twice (expected: once)",
                "--http there|--http: there (expected: here, redirect, or HOST:PORT such as 127.0.0.1:8080)",
                "--http http://127.0.0.1:8080|--http: http://127.0.0.1:8080 (expected: here, redirect, or HOST:PORT",
                "--tls redirect|--tls: redirect (expected: here, or HOST:PORT)",
                "--tls there|--tls: there (expected: here, or HOST:PORT such as 127.0.0.1:8443)",
                "--http redirect|--http: redirect without TLS (expected: --tls here with it: it redirects to HTTPS)",
                "--http redirect --ssh h:22|--http: redirect without TLS",
                "--http here|--internal-port: missing (expected: --internal-port PORT, --to URL, or a --route)",
                "--tls here|--internal-port: missing",
                "--tls here --internal-port 1 --to http://h:1|--internal-port: given with --to",
                "--tls here --to nonsense|--to: nonsense (expected: http://host:port",
                "--tls here --route api/=http://h:1|--route: api/=http://h:1 (expected: /api/=http://h:1 for the path",
                "--pass-through h:1|--pass-through: h:1 (expected: NAME=HOST:PORT, such as"
                        + " db.example.com=127.0.0.1:8443",
                "--pass-through =h:1|--pass-through: =h:1 (expected: NAME=HOST:PORT",
                "--pass-through a.example=|--pass-through: a.example= (expected: NAME=HOST:PORT",
                "--pass-through a..b=h:1|--pass-through: a..b (expected: a server name such as db.example.com, or"
                        + " *.example.com)",
                "--pass-through 127.0.0.1=h:1|--pass-through: 127.0.0.1 (expected: a server name",
                "--pass-through a.example=h|--pass-through: h (expected: host:port",
                "--pass-through a.example=h:1,,h:2|--pass-through: an empty target",
                "--pass-through a.example=h:1 --pass-through A.example.=h:2|--pass-through: a.example is given twice"
                        + " (expected: each server name once)",
                "--pass-through a.example=h:1 --inside-ssh a.example=h:2|--inside-ssh: a.example is given twice",
                "--inside-ssh a.example|--inside-ssh: a.example (expected: NAME=HOST:PORT",
                "--inside-ssh *=h:1|--inside-ssh: * (expected: a server name",
                "--match a=h:1|--match: a=h:1 (expected: NAME:HEX=HOST:PORT, such as rdp:0300=127.0.0.1:3389,",
                "--match :05=h:1|--match: :05=h:1 (expected: NAME:HEX=HOST:PORT",
                "--match a:05|--match: a:05 (expected: NAME:HEX=HOST:PORT",
                "--match a:05=|--match: a:05= (expected: NAME:HEX=HOST:PORT",
                "--match a:=h:1|--match:  (expected: 1-256 bytes in hexadecimal, such as 05 or 16 03)",
                "--match a:5=h:1|--match: 5 (expected: 1-256 bytes in hexadecimal",
                "--match a:xy=h:1|--match: xy (expected: 1-256 bytes in hexadecimal",
                "--match a:0506/ff=h:1|--match: ff (expected: 2 bytes, as many as the pattern has",
                "--match a:05@x=h:1|--match: @x (expected: @0 to @4096)",
                "--match a:05@4097=h:1|--match: 4097 (expected: 0-4096)",
                "--match a!:05=h:1|--match: a! (expected: 1-64 letters, digits",
                "--match a:05=h|--match: h (expected: host:port",
                "--on-timeout h|--on-timeout: h (expected: host:port",
                "--otherwise h|--otherwise: h (expected: host:port",
                "--ssh h:22 --detect-time 2|--detect-time: 2 (expected: 10ms to 5s)",
                "--ssh h:22 --detect-time 9ms|--detect-time: 9ms (expected: 10ms to 5s)",
                "--ssh h:22 --detect-time 6s|--detect-time: 6s (expected: 10ms to 5s)",
                "--ssh h:22 --detect-time none|--detect-time: none (expected: 10ms to 5s)",
                "--inside-ssh a.example=h:22 --detect-time 99999999999999999999h|--detect-time:"
                        + " 99999999999999999999h (expected: 10ms to 5s)",
                "--match a:05=h:1 --match b:05=h:2|rule b: after a, which takes all of its connections"
                        + " (expected: one of the two)",
                // what targets see
                "--ssh h:22 --proxy-protocol v3|--proxy-protocol: v3 (expected: v1, v2)",
                "--ssh h:22 --proxy-protocol|--proxy-protocol: no value (expected: --proxy-protocol VERSION)",
                "--http here --internal-port 1 --proxy-protocol v1|--proxy-protocol: given without a target (expected:"
                        + " an option with one, such as --ssh HOST:PORT)",
                "--http here --internal-port 1 --new-per-minute 5|--new-per-minute: given without a target",
                "--http here --internal-port 1 --relay-log -|--relay-log: given without a target",
                "--http here --internal-port 1 --loopback-source|--loopback-source: given without a target",
                "--ssh 10.0.0.1:22 --loopback-source|--loopback-source: given without a target that it is for"
                        + " (expected: --ssh, --inside-ssh or --on-timeout with an IPv4 loopback address, such as"
                        + " 127.0.0.1:22)",
                "--ssh [::1]:22 --loopback-source|--loopback-source: given without a target that it is for",
                "--ssh 10.0.0.1:22 --pass-through a.example=127.0.0.1:1 --loopback-source|--loopback-source: given"
                        + " without a target that it is for (expected: --ssh,",
                "--ssh localhost:22 --loopback-source|--ssh: localhost:22 (expected: 127.0.0.1:22 with"
                        + " --loopback-source)",
                "--http 127.0.0.1:1 --loopback-source|--loopback-source: given without a target that it is for"
                        + " (expected: a target with an IPv4 loopback address, but that of --http)",
                "--ssh h:22 --new-per-minute 0|--new-per-minute: 0 (expected: 1-1000000)",
                "--ssh h:22 --relay-log=|--relay-log: empty (expected: --relay-log FILE)",
                // what has no effect
                "--tls hier --internal-port 1|--tls: hier (expected: here, or HOST:PORT such as 127.0.0.1:8443)",
                "--http her --internal-port 1 --user u|--http: her (expected: here, redirect, or HOST:PORT such as",
                "--ssh h:22 --internal-port 1|--internal-port: given without --http here or --tls here (expected: one"
                        + " of them with it)",
                "--ssh h:22 --to http://h:1|--to: given without --http here or --tls here",
                "--http h:80 --route /a=http://h:1|--route: given without --http here or --tls here",
                "--tls h:443 --strip /a=http://h:1|--strip: given without --http here or --tls here",
                "--ssh h:22 --user u --password p4ss|--user: given without --http here or --tls here",
                "--ssh h:22 --htpasswd f|--htpasswd: given without --http here or --tls here",
                "--ssh h:22 --allow-upgrade tcp|--allow-upgrade: given without --http here or --tls here",
                "--ssh h:22 --lenient-responses|--lenient-responses: given without --http here or --tls here",
                "--ssh h:22 --host-header client|--host-header: given without --http here or --tls here",
                "--ssh h:22 --timeout long=1s|--timeout: given without --http here or --tls here",
                "--ssh h:22 --access-log -|--access-log: given without --http here or --tls here",
                "--inside-ssh a.example=h:22 --user u --password p4ss|--user: given without --http here or --tls here",
                "--ssh h:22 --cert c --key k|--cert: given without --tls here or --inside-ssh (expected: one of them"
                        + " with it)",
                "--http here --internal-port 1 --self-signed a.example|--self-signed: given without --tls here or"
                        + " --inside-ssh",
                "--tls h:443 --acme a.example --accept-terms|--acme: given without --tls here or --inside-ssh",
                "--ssh h:22 --accept-terms|--accept-terms: given without --tls here or --inside-ssh",
                "--ssh h:22 --accept-proxy required|--accept-proxy: given without --trusted-proxy (expected:"
                        + " --trusted-proxy CIDR with it)",
                "--ssh h:22 --accept-proxy maybe|--accept-proxy: maybe (expected: off, optional, required)",
                "--ssh h:22 --trusted-proxy 10.0.0.0/8|--trusted-proxy: given without --accept-proxy, --http here or"
                        + " --tls here (expected: one of them with it)",
                // what is of other commands
                "--ssh h:22 --external-port 1|Unknown option --external-port (did you mean --listen?)",
                "--ssl h:443|Unknown option --ssl (did you mean --tls?)",
                "--ssh h:22 --anyprot h:1|Unknown option --anyprot (did you mean --otherwise?)",
                "--ssh h:22 --transparent|Unknown option --transparent (did you mean --loopback-source?)",
                "--shh h:22|Unknown option --shh (did you mean --ssh?)",
                "--htpp h:80|Unknown option --htpp (did you mean --http?)",
                "--ssh h:22 --colour|Unknown option --colour (see",
                "--ssh h:22 --plain|Unknown option --plain",
                "--ssh h:22 --bind=|--bind: empty (expected: --bind ADDRESS)",
                "--ssh h:22 p4ss|belongs to no option",
            })
    void wrongOptionsAreOneSentenceAndExitStatus2(String options, String contains) {
        assertThat(execute("--listen 0 " + options)).isEqualTo(2);
        assertThat(err.toString().replace("'", ""))
                .startsWith("webproxy: ")
                .contains(contains)
                .hasLineCount(1)
                .doesNotContain("p4ss");
        assertThat(out.toString()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--ssh h:22|--listen: missing (expected: --listen PORT)",
                "--ssh h:22 --listen -1|--listen: -1 (expected: 0-65535)",
                "--ssh h:22 --listen ssh|--listen: ssh (expected: 0-65535)",
                "--ssh h:22 --listen 0.0.0.0:443|--listen: 0.0.0.0:443 (expected: a port, 0-65535; --bind ADDRESS"
                        + " names the address)",
            })
    void portIsNeeded(String options, String contains) {
        assertThat(execute(options)).isEqualTo(2);
        assertThat(err.toString()).contains(contains).hasLineCount(1);
    }

    @Test
    void helpNamesEveryOption() {
        assertThat(cli.execute("port", "--help")).isZero();
        assertThat(out.toString()).startsWith("Usage: webproxy port").contains("--inside-ssh", "--acme", "--route");
        assertThat(err.toString()).isEmpty();
    }

    private int execute(String options) {
        Home.set();
        return cli.execute(("port " + options).strip().split(" "));
    }
}
