package io.webproxy;

import java.util.List;

/** Thrown for an invalid configuration; the message names every problem, each as {@code name: value (expected: …)}. */
public final class ProxyConfigException extends IllegalArgumentException {
    private static final long serialVersionUID = 1;

    private final transient List<String> problems;

    ProxyConfigException(List<String> problems) {
        super(String.join("\n", problems));
        this.problems = List.copyOf(problems);
    }

    /** The problems, a sentence each. */
    public List<String> problems() {
        return problems;
    }
}
