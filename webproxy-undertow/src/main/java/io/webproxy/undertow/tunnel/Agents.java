package io.webproxy.undertow.tunnel;

import io.webproxy.undertow.tls.FileStamp;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The agents that may announce names, by their file, which is read again when it changes. A file that can't be used
 * changes nothing, and is one WARN. Thread-safe; reads and looks aren't for an IO thread.
 */
final class Agents {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.tunnel");
    private static final int MOST_BYTES = 1 << 22;
    private static final int MOST_PROBLEMS = 5;

    private final Path file;
    private volatile Map<String, AgentEntry> byFingerprint;
    private FileStamp stamp;
    private String lastProblem = "";
    /** When it was found empty, which it is while an editor writes it. */
    private @Nullable FileStamp empty;

    /**
     * Reads the file.
     *
     * @throws IllegalArgumentException with one sentence that names the file, if it can't be used
     */
    Agents(Path file) {
        this.file = file;
        this.stamp = FileStamp.of(file);
        this.byFingerprint = read();
    }

    private Map<String, AgentEntry> read() {
        String text;
        try {
            if (Files.size(file) > MOST_BYTES) {
                throw new IllegalArgumentException(
                        "agents: " + file + " is too large (expected: a line for each agent)");
            }
            text = Files.readString(file, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    "agents: " + file + " can't be read: " + e + " (expected: a line for each agent)", e);
        }
        AgentsFile.Parsed parsed = AgentsFile.parse(text);
        if (!parsed.problems().isEmpty()) {
            List<String> problems = parsed.problems();
            int more = problems.size() - MOST_PROBLEMS;
            throw new IllegalArgumentException("agents: " + file + ": "
                    + String.join("; ", more > 0 ? problems.subList(0, MOST_PROBLEMS) : problems)
                    + (more > 0 ? "; and " + more + " more" : ""));
        }
        Map<String, AgentEntry> agents = new LinkedHashMap<>();
        parsed.agents().forEach(agent -> agents.put(agent.fingerprint(), agent));
        return agents;
    }

    /** Looks at the file; returns whether the agents are others than before. */
    synchronized boolean look() {
        FileStamp now = FileStamp.of(file);
        if (now.equals(stamp) && lastProblem.isEmpty()) {
            return false;
        }
        if (now.size() == 0 && !byFingerprint.isEmpty() && !now.equals(empty)) {
            // agents aren't removed before it has been empty twice
            empty = now;
            return false;
        }
        Map<String, AgentEntry> read;
        try {
            read = read();
        } catch (IllegalArgumentException e) {
            String problem = String.valueOf(e.getMessage());
            if (FileStamp.of(file).equals(now) && !problem.equals(lastProblem)) {
                LOG.warn("A changed agents file isn't used, the one before still is: {}", problem);
                lastProblem = problem;
                stamp = now;
            }
            return false;
        }
        if (!FileStamp.of(file).equals(now)) {
            // whoever writes it is still at it: the next look sees all
            return false;
        }
        stamp = now;
        lastProblem = "";
        boolean changed = !read.equals(byFingerprint);
        byFingerprint = read;
        if (changed) {
            LOG.info("The agents file {} has changed; agents in it: {}", file, read.size());
        }
        return changed;
    }

    /** Who has a key; null if no agent has. */
    @Nullable AgentEntry find(String fingerprint) {
        return byFingerprint.get(fingerprint);
    }

    List<AgentEntry> all() {
        return List.copyOf(byFingerprint.values());
    }
}
