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
 * The agents that may announce names, from the agents file, which is reloaded when it changes. An invalid file changes
 * nothing, and is logged once as WARN. Thread-safe; reading isn't for an IO thread.
 */
final class Agents {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.tunnel");
    private static final int MOST_BYTES = 1 << 22;
    private static final int MOST_PROBLEMS = 5;

    private final Path file;
    private volatile Map<String, AgentEntry> byFingerprint;
    private FileStamp stamp;
    private String lastProblem = "";
    /** The stamp of an empty file, as an editor may leave it while it writes. */
    private @Nullable FileStamp empty;

    /**
     * Reads the file.
     *
     * @throws IllegalArgumentException with one sentence that names the file, if it is invalid
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

    /** Checks the file; returns whether the agents have changed. */
    synchronized boolean look() {
        FileStamp now = FileStamp.of(file);
        if (now.equals(stamp) && lastProblem.isEmpty()) {
            return false;
        }
        if (now.size() == 0 && !byFingerprint.isEmpty() && !now.equals(empty)) {
            // agents are only removed if it was empty twice
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
            // a writer may still be at work: the next check sees the rest
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

    /** The agent with this key; null if there is none. */
    @Nullable AgentEntry find(String fingerprint) {
        return byFingerprint.get(fingerprint);
    }

    List<AgentEntry> all() {
        return List.copyOf(byFingerprint.values());
    }
}
