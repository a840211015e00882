package io.webproxy.corpus;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What one client sends, what the upstream answers, and what both have to see; the README beside the case files says
 * what each means.
 *
 * @param why which sentence of which standard asks for it, or empty
 * @param fin whether the client sends no more behind its bytes, and says so
 * @param reply what the upstream sends for each request
 * @param replyEnd what it does then
 * @param answers the statuses that the client sees, in order, each one of a set
 * @param state what becomes of the client's connection
 * @param body of the last answer, or null for any
 * @param shown lines that the last answer has
 * @param hidden what its head and trailers don't contain
 * @param forwarded what reaches the upstreams, in order
 */
public record CorpusCase(
        String file,
        String name,
        String why,
        byte[] send,
        boolean fin,
        byte[] reply,
        ReplyEnd replyEnd,
        List<Set<Integer>> answers,
        State state,
        @Nullable String body,
        List<String> shown,
        List<String> hidden,
        List<Forwarded> forwarded,
        Reuse reuse) {
    /** What the upstream does behind its reply. */
    public enum ReplyEnd {
        KEEP,
        CLOSE,
        RESET
    }

    /**
     * What becomes of the client's connection: it serves on, has ended, has ended within the last answer, or any of
     * these.
     */
    public enum State {
        OPEN,
        CLOSED,
        ABORTED,
        ANY
    }

    /**
     * What becomes of the upstream connection: it serves the next exchange, is closed by the proxy, or any of these.
     */
    public enum Reuse {
        SAME,
        CLOSED,
        ANY
    }

    /**
     * A request that reaches an upstream.
     *
     * @param guarded whether it is the one that the protected route leads to
     * @param line the request line
     * @param has lines of the head, without regard to the case of the names
     * @param lacks what the head doesn't contain, without regard to case
     * @param content of the body, or null for any
     * @param aborted whether the connection ends before the body does
     */
    public record Forwarded(
            boolean guarded,
            String line,
            List<String> has,
            List<String> lacks,
            @Nullable String content,
            boolean aborted) {}

    @Override
    public String toString() {
        return name;
    }
}
