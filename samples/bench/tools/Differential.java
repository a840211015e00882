import io.webproxy.ProxyServer;
import io.webproxy.corpus.ClientAnswer;
import io.webproxy.corpus.CorpusCase;
import io.webproxy.corpus.CorpusFile;
import io.webproxy.corpus.CorpusUpstream;
import io.webproxy.corpus.SeenRequest;
import io.webproxy.testing.RawConnection;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Puts cases of hostile HTTP/1.1 to three proxies and prints what each makes of them. Arguments: the directory of case files, a working
 * directory, {@code 1} for all rows, names of files.
 */
final class Differential {
    private static final int QUIET_MILLIS = 400;
    private static final int QUIET_BEHIND_AN_ANSWER_MILLIS = 60;
    private static final int CELL = 110;

    /** One proxy and the upstreams it forwards to. */
    private record Candidate(String name, int port, CorpusUpstream upstream) {}

    /**
     * What became of a case.
     *
     * @param end how the client's connection ended: open, closed, cut or silent
     */
    private record Outcome(List<Integer> statuses, String body, String end, List<SeenRequest> seen) {
        long served() {
            return seen.stream().filter(r -> r.isComplete() && !r.isMalformed()).count();
        }

        boolean isWhole() {
            return !statuses.isEmpty() && statuses.get(statuses.size() - 1) < 500 && !end.equals("cut");
        }

        List<String> lines() {
            return seen.stream().map(Differential::line).toList();
        }
    }

    private enum Verdict {
        EQUAL,
        STATUS,
        STRICTER,
        LAXER,
        OTHER
    }

    public static void main(String[] args) throws Exception {
        Path work = Path.of(args[1]);
        Set<String> names = new TreeSet<>(Arrays.asList(args).subList(3, args.length));
        List<CorpusFile> files = new ArrayList<>();
        try (Stream<Path> paths = Files.list(Path.of(args[0]))) {
            for (Path path :
                    paths.filter(p -> p.toString().endsWith(".corpus")).sorted().toList()) {
                CorpusFile file = CorpusFile.read(path);
                // what is configured beyond the defaults has no match in the others
                if (file.options().isEmpty() && (names.isEmpty() || names.contains(file.name()))) {
                    files.add(file);
                }
            }
        }
        List<Process> processes = new ArrayList<>();
        boolean good;
        try (CorpusUpstream ours = CorpusUpstream.start();
                CorpusUpstream nginx = CorpusUpstream.start();
                CorpusUpstream haproxy = CorpusUpstream.start();
                ProxyServer proxy = ProxyServer.builder()
                        .bind("127.0.0.1")
                        .http(0)
                        .forward(ours.uri())
                        .route(r -> r.path("/s").forward(ours.guardedUri()))
                        .route(r -> r.path("/strip/").stripPrefix().forward(ours.uri()))
                        .start()) {
            int nginxPort = freePort();
            int haproxyPort = freePort();
            processes.add(
                    start("nginx", nginxConfiguration(work, nginxPort, nginx), work, "-e", work + "/error.log", "-c"));
            processes.add(start("haproxy", haproxyConfiguration(haproxyPort, haproxy), work, "-f"));
            List<Candidate> candidates = List.of(
                    new Candidate("ours", proxy.endpoints().get(0).address().getPort(), ours),
                    new Candidate("nginx", nginxPort, nginx),
                    new Candidate("HAProxy", haproxyPort, haproxy));
            for (Candidate candidate : candidates) {
                awaitPort(candidate);
            }
            good = run(files, candidates, !args[2].isEmpty());
        } finally {
            processes.forEach(Process::destroy);
        }
        System.exit(good ? 0 : 1);
    }

    private static boolean run(List<CorpusFile> files, List<Candidate> candidates, boolean all) throws Exception {
        List<String> rows = new ArrayList<>();
        List<String> unbacked = new ArrayList<>();
        int[] counts = new int[Verdict.values().length];
        int cases = 0;
        ExecutorService executor = Executors.newFixedThreadPool(candidates.size());
        try {
            for (CorpusFile file : files) {
                boolean answers = file.name().startsWith("answer");
                for (CorpusCase one : file.cases()) {
                    List<Future<Outcome>> running = new ArrayList<>();
                    for (Candidate candidate : candidates) {
                        running.add(executor.submit(() -> ask(candidate, one)));
                    }
                    List<Outcome> outcomes = new ArrayList<>();
                    for (Future<Outcome> outcome : running) {
                        outcomes.add(outcome.get());
                    }
                    Outcome ours = outcomes.get(0);
                    Verdict nginx = compare(ours, outcomes.get(1), one, answers);
                    Verdict haproxy = compare(ours, outcomes.get(2), one, answers);
                    Verdict worst = nginx.compareTo(haproxy) > 0 ? nginx : haproxy;
                    boolean laxer = nginx == Verdict.LAXER || haproxy == Verdict.LAXER;
                    if (laxer) {
                        worst = Verdict.LAXER;
                    }
                    // who refuses everything is never laxer
                    if (laxer && one.why().isEmpty() || !isExpected(ours, one)) {
                        unbacked.add(file.name() + ": " + one.name());
                    }
                    cases++;
                    counts[worst.ordinal()]++;
                    if (all || worst != Verdict.EQUAL) {
                        rows.add("| " + cell(file.name() + ": " + one.name()) + " | "
                                + outcomes.stream()
                                        .map(o -> cell(show(o, ours)))
                                        .collect(Collectors.joining(" | "))
                                + " | " + worst.toString().toLowerCase(Locale.ROOT) + " | "
                                + (worst == Verdict.EQUAL ? "" : one.why().replace("|", "\\|")) + " |");
                    }
                }
            }
        } finally {
            executor.shutdownNow();
        }
        System.out.printf(
                "%d cases: %d equal to both, %d refused by all with another status or end, %d where we are stricter"
                        + " than one, %d where we are laxer than one, %d that differ otherwise; %d without a reason, or"
                        + " not as the case says%n%n",
                cases,
                counts[Verdict.EQUAL.ordinal()],
                counts[Verdict.STATUS.ordinal()],
                counts[Verdict.STRICTER.ordinal()],
                counts[Verdict.LAXER.ordinal()],
                counts[Verdict.OTHER.ordinal()],
                unbacked.size());
        unbacked.forEach(name -> System.out.println(
                "- laxer without a reason, or not as the case says: `" + name.replace("`", "'") + "`"));
        System.out.println("\n| case | ours | nginx | HAProxy | we are | backed by |\n|---|---|---|---|---|---|");
        rows.forEach(System.out::println);
        return cases > 0 && unbacked.isEmpty();
    }

    private static Outcome ask(Candidate candidate, CorpusCase one) throws IOException {
        candidate.upstream().script(one.reply(), one.replyEnd());
        List<Integer> statuses = new ArrayList<>();
        String body = "";
        String end = "open";
        try (RawConnection client = RawConnection.open(candidate.port())) {
            client.socket().setSoTimeout(QUIET_MILLIS);
            try {
                client.send(one.send());
                if (one.fin()) {
                    client.shutdownOutput();
                }
            } catch (IOException e) {
                // it may end before all is sent
            }
            boolean toHead = new String(one.send(), StandardCharsets.ISO_8859_1).startsWith("HEAD ");
            try {
                while (true) {
                    ClientAnswer answer = ClientAnswer.read(client, toHead);
                    if (answer == null) {
                        end = "closed";
                        break;
                    }
                    statuses.add(answer.status());
                    body = answer.body();
                    if (!answer.whole()) {
                        end = "cut";
                        break;
                    }
                    client.socket().setSoTimeout(answer.status() < 200 ? QUIET_MILLIS : QUIET_BEHIND_AN_ANSWER_MILLIS);
                }
            } catch (SocketTimeoutException e) {
                end = statuses.isEmpty() ? "silent" : "open";
            } catch (IOException | NumberFormatException e) {
                end = "no HTTP";
            }
        }
        return new Outcome(statuses, body, end, candidate.upstream().seen());
    }

    private static Verdict compare(Outcome ours, Outcome theirs, CorpusCase one, boolean answers) {
        if (answers && ours.isWhole() != theirs.isWhole()) {
            return ours.isWhole() ? Verdict.LAXER : Verdict.STRICTER;
        }
        if (!answers && ours.served() != theirs.served()) {
            return ours.served() < theirs.served() ? Verdict.STRICTER : Verdict.LAXER;
        }
        boolean refused = answers ? !ours.isWhole() : ours.served() == 0;
        if (refused) {
            return ours.statuses().equals(theirs.statuses()) && ours.end().equals(theirs.end())
                    ? Verdict.EQUAL
                    : Verdict.STATUS;
        }
        long guarded = ours.seen().stream().filter(SeenRequest::isGuarded).count();
        long theirGuarded =
                theirs.seen().stream().filter(SeenRequest::isGuarded).count();
        if (guarded != theirGuarded) {
            return guarded > theirGuarded ? Verdict.STRICTER : Verdict.LAXER;
        }
        if (!passed(theirs, ours, one).isEmpty()) {
            return Verdict.STRICTER;
        }
        if (!passed(ours, theirs, one).isEmpty()) {
            return Verdict.LAXER;
        }
        boolean same = ours.statuses().equals(theirs.statuses())
                && ours.lines().equals(theirs.lines())
                && (!answers || ours.body().equals(theirs.body()));
        return same ? Verdict.EQUAL : Verdict.OTHER;
    }

    /** Whether we answer what the case says; a reason backs nothing else. */
    private static boolean isExpected(Outcome ours, CorpusCase one) {
        int count = ours.statuses().size();
        // one that is to be cut may have been cut before its first byte
        boolean same = count == one.answers().size()
                || one.state() == CorpusCase.State.ABORTED
                        && count == one.answers().size() - 1;
        for (int i = 0; same && i < count; i++) {
            same = one.answers().get(i).contains(ours.statuses().get(i));
        }
        return same;
    }

    /** Lines of the client that one passes to its upstream and the other doesn't. */
    private static List<String> passed(Outcome by, Outcome notBy, CorpusCase one) {
        List<String> sent = Arrays.stream(new String(one.send(), StandardCharsets.ISO_8859_1).split("[\r\n]+"))
                .map(Differential::plain)
                .toList();
        Set<String> missing = notBy.seen().stream()
                .flatMap(r -> r.lines().stream().skip(1))
                .map(Differential::plain)
                .collect(Collectors.toSet());
        return by.seen().stream()
                .flatMap(r -> r.lines().stream().skip(1))
                .map(Differential::plain)
                .filter(line -> sent.contains(line) && !missing.contains(line))
                .filter(line -> !line.matches("(host|content-length|transfer-encoding|connection):.*"))
                .distinct()
                .toList();
    }

    private static String plain(String line) {
        return line.toLowerCase(Locale.ROOT).replaceAll("[ \t]*:[ \t]*", ":").strip();
    }

    private static String line(SeenRequest request) {
        return (request.isGuarded() ? "s: " : "") + request.line().replace(" HTTP/1.1", "");
    }

    private static String show(Outcome outcome, Outcome ours) {
        String statuses = outcome.statuses().stream().map(String::valueOf).collect(Collectors.joining(" "));
        StringBuilder text = new StringBuilder(statuses + (statuses.isEmpty() ? "" : ", ") + outcome.end());
        for (SeenRequest request : outcome.seen()) {
            text.append(" → ").append(line(request));
            if (request.isMalformed()) {
                text.append(" (malformed)");
            } else if (!request.isComplete()) {
                text.append(" (cut)");
            } else if (!request.body().isEmpty()) {
                text.append(" + ").append(request.body());
            }
        }
        Set<String> known = ours.seen().stream()
                .flatMap(r -> r.lines().stream())
                .map(Differential::plain)
                .collect(Collectors.toSet());
        if (outcome != ours && !ours.seen().isEmpty()) {
            outcome.seen().stream()
                    .flatMap(r -> r.lines().stream().skip(1))
                    .filter(l -> !known.contains(plain(l)) && !plain(l).startsWith("connection:"))
                    .limit(2)
                    .forEach(l -> text.append("; ").append(l));
        }
        return text.toString();
    }

    private static String cell(String text) {
        StringBuilder out = new StringBuilder("`");
        for (char c : text.toCharArray()) {
            if (out.length() > CELL) {
                out.append('…');
                break;
            }
            out.append(
                    c == '|'
                            ? "\\|"
                            : c == '`'
                                    ? "'"
                                    : c == '\n'
                                            ? ""
                                            : c == '\r'
                                                    ? "¶"
                                                    : c < ' ' || (c >= 0x7f && c < 0xa0)
                                                            ? String.format("\\x%02x", (int) c)
                                                            : String.valueOf(c));
        }
        return out.append('`').toString();
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static void awaitPort(Candidate candidate) throws Exception {
        for (int i = 0; i < 100; i++) {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), candidate.port())) {
                return;
            } catch (IOException e) {
                Thread.sleep(100);
            }
        }
        throw new IOException(candidate.name() + " was not ready within 10 s.");
    }

    private static Process start(String program, String configuration, Path work, String... options)
            throws IOException {
        Path file = work.resolve(program + ".conf");
        Files.writeString(file, configuration);
        List<String> command = new ArrayList<>(List.of(program));
        command.addAll(Arrays.asList(options));
        command.add(file.toString());
        File log = work.resolve(program + ".log").toFile();
        return new ProcessBuilder(command)
                .redirectOutput(log)
                .redirectErrorStream(true)
                .start();
    }

    private static String authority(String uri) {
        return uri.substring("http://".length());
    }

    private static String nginxConfiguration(Path work, int port, CorpusUpstream upstream) {
        return """
            %s
            daemon off;
            worker_processes 1;
            pid %2$s/nginx.pid;
            error_log %2$s/error.log crit;
            events { worker_connections 256; }
            http {
              access_log off;
              client_body_temp_path %2$s/body;
              proxy_temp_path %2$s/proxy;
              fastcgi_temp_path %2$s/fastcgi;
              uwsgi_temp_path %2$s/uwsgi;
              scgi_temp_path %2$s/scgi;
              proxy_http_version 1.1;
              proxy_set_header Connection "";
              proxy_set_header Host $http_host;
              upstream usual { server %4$s; keepalive 8; }
              upstream guarded { server %5$s; keepalive 8; }
              server {
                listen 127.0.0.1:%3$d;
                location / { proxy_pass http://usual; }
                location /strip/ { proxy_pass http://usual/; }
                location = /s { proxy_pass http://guarded; }
                location /s/ { proxy_pass http://guarded; }
              }
            }
            """.formatted(
                        "root".equals(System.getProperty("user.name")) ? "user root;" : "",
                        work,
                        port,
                        authority(upstream.uri()),
                        authority(upstream.guardedUri()));
    }

    private static String haproxyConfiguration(int port, CorpusUpstream upstream) {
        return """
            defaults
              mode http
              timeout connect 5s
              timeout client 60s
              timeout server 60s
            frontend in
              bind 127.0.0.1:%d
              acl guarded path /s
              acl guarded path_beg /s/
              use_backend guarded if guarded
              default_backend usual
              http-request replace-path /strip/(.*) /\\1 if { path_beg /strip/ }
            backend usual
              server one %s
            backend guarded
              server one %s
            """.formatted(port, authority(upstream.uri()), authority(upstream.guardedUri()));
    }
}
