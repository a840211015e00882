package io.webproxy.corpus;

import io.webproxy.corpus.CorpusCase.Forwarded;
import io.webproxy.corpus.CorpusCase.Reuse;
import io.webproxy.corpus.CorpusCase.State;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One request over HTTP/2, field by field, and what both sides have to see; the README beside the case files says what
 * each means.
 *
 * @param fields names and values in turn, pseudo-header fields in front
 * @param data the body, null for none
 * @param trailers names and values in turn
 * @param answers one of these: a status, {@code reset}, {@code goaway}
 * @param aborted a request line that may reach the upstream before its fault has come, if its end never does; null for
 *     none
 * @param expected what is checked as for HTTP/1.1
 */
record Http2Case(
        String name,
        List<String> fields,
        byte @Nullable [] data,
        List<String> trailers,
        Set<String> answers,
        @Nullable String aborted,
        CorpusCase expected) {
    private static final Pattern LINE = Pattern.compile(
            "(case|why|each|set|without|field|data|trailer|answer|upstream|protected|aborted|has|not|content):.*");

    /** Reads a file; what can't be understood throws, and names the line. */
    static List<Http2Case> read(Path path) throws IOException {
        return CaseFile.read(path, LINE, Http2Case::one);
    }

    private static Http2Case one(List<String> lines, String each) {
        Map<String, String> pseudo = new LinkedHashMap<>();
        pseudo.put(":method", "GET");
        pseudo.put(":scheme", "https");
        pseudo.put(":authority", "localhost");
        pseudo.put(":path", "/x");
        List<String> fields = new ArrayList<>();
        byte[] data = null;
        List<String> trailers = new ArrayList<>();
        Set<String> answers = new TreeSet<>();
        List<Forwarded> forwarded = new ArrayList<>();
        String name = "";
        String aborted = null;
        for (String line : lines) {
            int colon = line.indexOf(':');
            String value = line.substring(colon + 1).strip().replace("§", each);
            switch (line.substring(0, colon)) {
                case "case" -> name = (value + " " + each).strip();
                case "set" -> {
                    List<String> field = field(value);
                    pseudo.put(field.get(0), field.get(1));
                }
                case "without" -> pseudo.remove(value);
                case "field" -> fields.addAll(field(value));
                case "data" -> data = EscapedBytes.parse(value);
                case "trailer" -> trailers.addAll(field(value));
                case "answer" -> answers.addAll(List.of(value.split("\\|")));
                case "aborted" -> aborted = value;
                case "upstream", "protected" ->
                    forwarded.add(new Forwarded(
                            line.startsWith("protected"),
                            EscapedBytes.text(value),
                            new ArrayList<>(),
                            new ArrayList<>(),
                            null,
                            false));
                case "has" -> last(forwarded).has().add(EscapedBytes.text(value));
                case "not" -> last(forwarded).lacks().add(EscapedBytes.text(value));
                case "content" -> {
                    Forwarded last = forwarded.remove(forwarded.size() - 1);
                    forwarded.add(new Forwarded(
                            last.guarded(), last.line(), last.has(), last.lacks(), EscapedBytes.text(value), false));
                }
                default -> {}
            }
        }
        List<String> all = new ArrayList<>();
        pseudo.forEach((field, value) -> {
            all.add(field);
            all.add(value);
        });
        all.addAll(fields);
        return new Http2Case(name, all, data, trailers, answers, aborted, expected(name, answers, forwarded));
    }

    private static CorpusCase expected(String name, Set<String> answers, List<Forwarded> forwarded) {
        return new CorpusCase(
                "http2",
                name,
                "",
                new byte[0],
                false,
                new byte[0],
                CorpusCase.ReplyEnd.KEEP,
                List.of(),
                answers.contains("goaway") ? State.CLOSED : State.OPEN,
                null,
                List.of(),
                List.of(),
                forwarded,
                Reuse.ANY);
    }

    private static Forwarded last(List<Forwarded> forwarded) {
        return forwarded.get(forwarded.size() - 1);
    }

    /** The name up to the first space, and what follows that. */
    private static List<String> field(String text) {
        int space = text.indexOf(' ', 1);
        return space < 0
                ? List.of(EscapedBytes.text(text), "")
                : List.of(EscapedBytes.text(text.substring(0, space)), EscapedBytes.text(text.substring(space + 1)));
    }

    @Override
    public String toString() {
        return name;
    }
}
