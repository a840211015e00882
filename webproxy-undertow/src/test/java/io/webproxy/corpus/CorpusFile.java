package io.webproxy.corpus;

import io.webproxy.corpus.CorpusCase.Forwarded;
import io.webproxy.corpus.CorpusCase.ReplyEnd;
import io.webproxy.corpus.CorpusCase.Reuse;
import io.webproxy.corpus.CorpusCase.State;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A file of cases.
 *
 * @param options words behind {@code proxy:}, which say how the proxy is configured beyond the defaults
 */
public record CorpusFile(String name, Set<String> options, List<CorpusCase> cases) {
    private static final String REPLY = "HTTP/1.1 200 OK¶Content-Length: 2¶¶ok";
    /** What the client sends, and what reaches the upstream, of a case that says nothing of it. */
    private static final String GOOD_LINE = "GET /x HTTP/1.1";

    private static final String GOOD_REQUEST = GOOD_LINE + "¶Host: localhost¶¶";

    private static final Set<String> KEYS = Set.of(
            "case",
            "why",
            "each",
            "send",
            "fin",
            "reply",
            "reply-end",
            "answer",
            "body",
            "shown",
            "hidden",
            "upstream",
            "protected",
            "has",
            "not",
            "content",
            "reuse");

    private record Line(String key, String value) {}

    /** All files of cases of HTTP/1.1. */
    static List<CorpusFile> all() throws IOException, URISyntaxException {
        Path directory = Path.of(CorpusFile.class.getResource("/corpus").toURI());
        List<CorpusFile> all = new ArrayList<>();
        try (Stream<Path> paths = Files.list(directory)) {
            for (Path path :
                    paths.filter(p -> p.toString().endsWith(".corpus")).sorted().toList()) {
                all.add(CorpusFile.read(path));
            }
        }
        return all;
    }

    /** Reads a file; what can't be understood throws, and names the line. */
    public static CorpusFile read(Path path) throws IOException {
        String name = String.valueOf(path.getFileName()).replaceFirst("\\.corpus$", "");
        Set<String> options = new TreeSet<>();
        List<CorpusCase> cases = new ArrayList<>();
        List<Line> lines = new ArrayList<>();
        int number = 0;
        for (String text : Files.readAllLines(path, StandardCharsets.UTF_8)) {
            number++;
            if (text.isBlank() || text.startsWith("#")) {
                continue;
            }
            int colon = text.indexOf(':');
            String key = colon < 0 ? "" : text.substring(0, colon).strip();
            String value = text.substring(colon + 1).strip();
            if (key.equals("proxy")) {
                options.addAll(Arrays.asList(value.split(" ")));
                continue;
            }
            if (!KEYS.contains(key)) {
                throw new IOException(path + ":" + number + ": " + text + " (expected: one of " + new TreeSet<>(KEYS)
                        + " and a colon)");
            }
            if (key.equals("case")) {
                add(name, lines, cases);
                lines.clear();
            }
            lines.add(new Line(key, value));
        }
        add(name, lines, cases);
        Map<String, Integer> names = new LinkedHashMap<>();
        cases.forEach(one -> names.merge(one.name(), 1, Integer::sum));
        names.values().removeIf(count -> count == 1);
        if (!names.isEmpty()) {
            throw new IOException(path + ": several cases have the name " + names.keySet());
        }
        return new CorpusFile(name, options, List.copyOf(cases));
    }

    private static void add(String file, List<Line> lines, List<CorpusCase> into) throws IOException {
        if (lines.isEmpty()) {
            return;
        }
        List<String> each = lines.stream()
                .filter(l -> l.key().equals("each"))
                .map(Line::value)
                .toList();
        for (String one : each.isEmpty() ? List.of("") : each) {
            String name = lines.get(0).value();
            try {
                into.add(one(file, each.isEmpty() ? name : (name + " " + one).strip(), one, lines));
            } catch (IllegalArgumentException e) {
                throw new IOException(file + ": " + name + ": " + e.getMessage(), e);
            }
        }
    }

    private static CorpusCase one(String file, String name, String each, List<Line> lines) {
        StringBuilder send = new StringBuilder();
        StringBuilder reply = null;
        String why = "";
        boolean fin = false;
        ReplyEnd replyEnd = ReplyEnd.KEEP;
        List<Set<Integer>> answers = new ArrayList<>();
        State state = null;
        String body = null;
        List<String> shown = new ArrayList<>();
        List<String> hidden = new ArrayList<>();
        List<Forwarded> forwarded = null;
        Reuse reuse = Reuse.ANY;
        for (Line line : lines) {
            String value = line.value().replace("§", each);
            switch (line.key()) {
                case "why" -> why = why.isEmpty() ? value : why + " " + value;
                case "send" -> send.append(value);
                case "fin" -> fin = value.equals("yes");
                case "reply" -> {
                    reply = reply == null ? new StringBuilder() : reply;
                    reply.append(value);
                }
                case "reply-end" -> replyEnd = ReplyEnd.valueOf(value.toUpperCase(Locale.ROOT));
                case "answer" -> {
                    int comma = value.indexOf(',');
                    state = State.valueOf(value.substring(comma + 1).strip().toUpperCase(Locale.ROOT));
                    for (String status : comma < 0
                            ? new String[0]
                            : value.substring(0, comma).split(" ")) {
                        Set<Integer> any = new TreeSet<>();
                        Arrays.stream(status.split("\\|")).map(Integer::valueOf).forEach(any::add);
                        answers.add(any);
                    }
                }
                case "body" -> body = EscapedBytes.text(value);
                case "shown" -> shown.add(EscapedBytes.text(value));
                case "hidden" -> hidden.add(EscapedBytes.text(value));
                case "upstream", "protected" -> {
                    forwarded = forwarded == null ? new ArrayList<>() : forwarded;
                    if (!value.equals("nothing")) {
                        forwarded.add(new Forwarded(
                                line.key().equals("protected"),
                                EscapedBytes.text(value),
                                new ArrayList<>(),
                                new ArrayList<>(),
                                null,
                                false));
                    }
                }
                case "has" -> last(forwarded).has().add(EscapedBytes.text(value));
                case "not" -> last(forwarded).lacks().add(EscapedBytes.text(value));
                case "content" -> {
                    Forwarded last = last(forwarded);
                    boolean aborted = value.equals("aborted");
                    String content = aborted ? null : EscapedBytes.text(value);
                    List<Forwarded> all = forwarded == null ? List.of() : forwarded;
                    all.set(
                            all.size() - 1,
                            new Forwarded(last.guarded(), last.line(), last.has(), last.lacks(), content, aborted));
                }
                case "reuse" -> reuse = Reuse.valueOf(value.toUpperCase(Locale.ROOT));
                default -> {}
            }
        }
        if (send.isEmpty() && forwarded == null) {
            send.append(GOOD_REQUEST);
            forwarded = List.of(new Forwarded(false, GOOD_LINE, List.of(), List.of(), null, false));
        }
        if (send.isEmpty() || state == null || forwarded == null) {
            throw new IllegalArgumentException("expected: answer, and send with upstream or protected");
        }
        return new CorpusCase(
                file,
                name,
                why,
                EscapedBytes.parse(send.toString()),
                fin,
                EscapedBytes.parse(reply == null ? REPLY : reply.toString()),
                replyEnd,
                List.copyOf(answers),
                state,
                body,
                List.copyOf(shown),
                List.copyOf(hidden),
                List.copyOf(forwarded),
                reuse);
    }

    private static Forwarded last(@Nullable List<Forwarded> forwarded) {
        if (forwarded == null || forwarded.isEmpty()) {
            throw new IllegalArgumentException("has, not or content without a request (expected: upstream before it)");
        }
        return forwarded.get(forwarded.size() - 1);
    }
}
