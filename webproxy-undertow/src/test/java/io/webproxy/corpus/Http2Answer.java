package io.webproxy.corpus;

import io.webproxy.undertow.testing.Http2Client;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The frames of one answer over HTTP/2, and what both sides have to see; the README beside the case files says what
 * each line means.
 *
 * @param steps what the upstream sends, in its order: a key and a value each
 * @param statuses one of these is the client's status
 * @param end {@code whole}, {@code aborted} or {@code any}
 * @param peer what becomes of the connection to the upstream
 */
record Http2Answer(
        String name,
        String method,
        List<String[]> steps,
        Set<String> statuses,
        String end,
        @Nullable String body,
        List<String> shown,
        String peer) {
    private static final Pattern LINE = Pattern.compile(
            "(case|why|each|method|head|head-end|data|data-end|tail|frame|reset|close|answer|body|shown|peer|§):?(.*)");
    private static final Set<String> STEPS =
            Set.of("head", "head-end", "data", "data-end", "tail", "frame", "reset", "close");

    /** Reads a file; what can't be understood throws, and names the line. */
    static List<Http2Answer> read(Path path) throws IOException {
        return CaseFile.read(path, LINE, Http2Answer::one);
    }

    private static Http2Answer one(List<String> lines, String each) {
        String name = "";
        String method = "GET";
        List<String[]> steps = new ArrayList<>();
        String answer = "";
        String body = null;
        List<String> shown = new ArrayList<>();
        String peer = "";
        for (String line : lines) {
            if (line.startsWith("each:")) {
                continue;
            }
            String text = line.replace("§", each);
            int colon = text.indexOf(':');
            String key = text.substring(0, colon);
            String value = text.substring(colon + 1).strip();
            switch (key) {
                case "case" -> name = (value + " " + each).strip();
                case "method" -> method = value;
                case "answer" -> answer = value;
                case "body" -> body = value;
                case "shown" -> shown.add(value);
                case "peer" -> peer = value;
                default -> {
                    if (STEPS.contains(key)) {
                        steps.add(new String[] {key, value});
                    }
                }
            }
        }
        String[] parts = answer.split(", ");
        return new Http2Answer(name, method, steps, Set.of(parts[0].split("\\|")), parts[1], body, shown, peer);
    }

    /** Sends it on a stream; false if it ends the connection. */
    boolean send(Http2Client to, int stream) throws IOException {
        for (String[] step : steps) {
            String value = step[1];
            switch (step[0]) {
                case "head" -> {
                    if (value.startsWith("\\{33*")) {
                        for (int i = 0; i < 33; i++) {
                            head(to, 0, stream, value.substring(5, value.length() - 1));
                        }
                    } else {
                        head(to, 0, stream, value);
                    }
                }
                case "head-end", "tail" -> head(to, Http2Client.END_STREAM, stream, value);
                case "data" -> to.send(Http2Client.DATA, 0, stream, EscapedBytes.parse(value));
                case "data-end" -> to.send(Http2Client.DATA, Http2Client.END_STREAM, stream, EscapedBytes.parse(value));
                case "reset" ->
                    to.send(Http2Client.RST_STREAM, 0, stream, new byte[] {0, 0, 0, (byte) Integer.parseInt(value)});
                case "frame" -> {
                    String[] words = value.split(" ");
                    int on = words[2].equals("S")
                            ? stream
                            : words[2].equals("N") ? stream + 100 : Integer.parseInt(words[2]);
                    to.send(
                            Integer.parseInt(words[0]),
                            Integer.parseInt(words[1]),
                            on,
                            HexFormat.of().parseHex(words.length > 3 ? words[3] : ""));
                }
                default -> {
                    return false;
                }
            }
        }
        return true;
    }

    private static void head(Http2Client to, int flags, int stream, String text) throws IOException {
        List<String> fields = new ArrayList<>();
        for (String field : EscapedBytes.text(text).split(" \\| ", -1)) {
            int space = field.indexOf(' ', 1);
            fields.add(space < 0 ? field : field.substring(0, space));
            fields.add(space < 0 ? "" : field.substring(space + 1));
        }
        to.sendBlock(flags, stream, Http2Client.fields(fields.toArray(new String[0])), 16_384);
    }

    @Override
    public String toString() {
        return name;
    }
}
