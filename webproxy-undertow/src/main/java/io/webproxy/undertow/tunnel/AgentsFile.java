package io.webproxy.undertow.tunnel;

import io.webproxy.spi.HostPattern;
import io.webproxy.spi.IpLiteral;
import io.webproxy.spi.TunnelKey;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Parses the agents file: one line for each agent, {@code NAME sha256:HEX names=pattern[,pattern…]
 * [ports=port[,first-last]…] [shared]}; empty lines and those that start with {@code #} are skipped. Pure and total.
 */
final class AgentsFile {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");
    /** RFC 1035 section 2.3.4, as text. */
    private static final int MOST_NAME = 253;

    private static final Pattern LONG_LABEL = Pattern.compile("[^.]{64}");
    private static final int MOST_SHOWN = 120;
    private static final Pattern CONTROL = Pattern.compile("\\p{Cntrl}");
    private static final Pattern PORTS = Pattern.compile("([0-9]{1,5})(-([0-9]{1,5}))?");

    /** The agents, and a sentence for each invalid line; if there is one, the agents must not be used. */
    record Parsed(List<AgentEntry> agents, List<String> problems) {
        Parsed {
            agents = List.copyOf(agents);
            problems = List.copyOf(problems);
        }
    }

    private final List<AgentEntry> agents = new ArrayList<>();
    private final List<String> problems = new ArrayList<>();
    private final Map<String, Integer> fingerprints = new HashMap<>();
    private final Map<String, Integer> agentNames = new HashMap<>();

    private AgentsFile() {}

    static Parsed parse(String text) {
        AgentsFile file = new AgentsFile();
        int number = 0;
        for (String line : text.split("\r\n|\r|\n", -1)) {
            number++;
            String content = line.strip();
            if (!content.isEmpty() && !content.startsWith("#")) {
                try {
                    file.line(number, content);
                } catch (IllegalArgumentException e) {
                    file.problems.add("line " + number + ": " + e.getMessage());
                }
            }
        }
        return new Parsed(file.agents, file.problems);
    }

    private void line(int number, String content) {
        String[] words = content.split("\\s+", -1);
        String name = words[0];
        if (!NAME.matcher(name).matches()) {
            throw wrong(name, "a name of 1-64 letters, digits, dots, hyphens or underscores");
        }
        String fingerprint = words.length < 2 ? "" : words[1].toLowerCase(Locale.ROOT);
        if (!TunnelKey.isFingerprint(fingerprint)) {
            throw wrong(words.length < 2 ? "no fingerprint" : words[1], "sha256: and 64 hexadecimal digits");
        }
        List<HostPattern> names = new ArrayList<>();
        List<AgentEntry.Ports> ports = new ArrayList<>();
        boolean shared = false;
        for (int i = 2; i < words.length; i++) {
            String word = words[i];
            if (word.startsWith("names=")) {
                for (String pattern : word.substring("names=".length()).split(",", -1)) {
                    names.add(pattern(pattern));
                }
            } else if (word.startsWith("ports=")) {
                for (String range : word.substring("ports=".length()).split(",", -1)) {
                    ports.add(ports(range));
                }
            } else if (word.equals("shared")) {
                shared = true;
            } else {
                throw wrong(word, "names=…, ports=… or shared");
            }
        }
        if (names.isEmpty() && ports.isEmpty()) {
            throw wrong(name, "names=… or ports=… after the fingerprint");
        }
        once(fingerprints, fingerprint, number, "each fingerprint only once");
        once(agentNames, name, number, "each agent's name only once");
        agents.add(new AgentEntry(name, fingerprint, names, ports, shared));
    }

    private static void once(Map<String, Integer> seen, String what, int number, String expected) {
        Integer before = seen.putIfAbsent(what, number);
        if (before != null) {
            throw wrong(what + ", as in line " + before, expected);
        }
    }

    /** A server name, or all names one level below a domain of two labels at least. */
    static HostPattern pattern(String text) {
        HostPattern pattern;
        try {
            pattern = HostPattern.of(text);
        } catch (IllegalArgumentException e) {
            throw wrong(text, "a server name such as db.example.com, or *.example.com");
        }
        String name = pattern.toString();
        if (text.indexOf(':') >= 0 || IpLiteral.parse(name) != null) {
            throw wrong(text, "a server name such as db.example.com, or *.example.com");
        }
        if (name.length() > MOST_NAME || LONG_LABEL.matcher(name).find()) {
            throw wrong(text, "at most 253 characters, and 63 between two dots");
        }
        if (pattern.isWildcard() && name.indexOf('.', 2) < 0) {
            throw wrong(text, "a wildcard below a domain, such as *.example.com, not all of a top-level domain");
        }
        return pattern;
    }

    private static AgentEntry.Ports ports(String text) {
        Matcher range = PORTS.matcher(text);
        if (range.matches()) {
            int first = Integer.parseInt(range.group(1));
            int last = range.group(3) == null ? first : Integer.parseInt(range.group(3));
            if (first >= 1 && first <= last && last <= 65535) {
                return new AgentEntry.Ports(first, last);
            }
        }
        throw wrong(text, "a port such as 6022, or ports such as 6000-6010");
    }

    private static IllegalArgumentException wrong(String what, String expected) {
        String shown = what.length() > MOST_SHOWN ? what.substring(0, MOST_SHOWN) + "…" : what;
        return new IllegalArgumentException(CONTROL.matcher(shown).replaceAll("?") + " (expected: " + expected + ")");
    }
}
