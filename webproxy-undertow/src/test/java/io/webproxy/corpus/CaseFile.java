package io.webproxy.corpus;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * A file of cases, each of lines from {@code case:} to the next; one with lines {@code each:} is a case for each of
 * them.
 */
final class CaseFile {
    /** Makes a case. */
    interface Maker<T> {
        /**
         * Reads the lines of a case.
         *
         * @param each what stands for {@code §}
         */
        T make(List<String> lines, String each);
    }

    private CaseFile() {}

    /** Reads a file whose lines match a pattern; what doesn't throws, and names the line. */
    static <T> List<T> read(Path path, Pattern line, Maker<T> maker) throws IOException {
        List<T> cases = new ArrayList<>();
        List<String> lines = new ArrayList<>();
        int number = 0;
        for (String text : Files.readAllLines(path, StandardCharsets.UTF_8)) {
            number++;
            if (text.isBlank() || text.startsWith("#")) {
                continue;
            }
            if (!line.matcher(text).matches()) {
                throw new IOException(path + ":" + number + ": " + text + " (expected: a key and a colon)");
            }
            if (text.startsWith("case:")) {
                add(lines, maker, cases);
                lines.clear();
            }
            lines.add(text);
        }
        add(lines, maker, cases);
        return cases;
    }

    private static <T> void add(List<String> lines, Maker<T> maker, List<T> into) {
        if (lines.isEmpty()) {
            return;
        }
        List<String> each = lines.stream()
                .filter(line -> line.startsWith("each:"))
                .map(line -> line.substring("each:".length()).strip())
                .toList();
        for (String one : each.isEmpty() ? List.of("") : each) {
            into.add(maker.make(lines, one));
        }
    }
}
