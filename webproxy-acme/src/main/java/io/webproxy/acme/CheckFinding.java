package io.webproxy.acme;

import java.util.Objects;

/**
 * A result of {@link AcmeCertificates#check()}.
 *
 * @param severity how bad it is
 * @param name the DNS name or IP address concerned; empty if it concerns all
 * @param sentence the finding, and what to do
 */
public record CheckFinding(Severity severity, String name, String sentence) {
    /** How bad a finding is. */
    public enum Severity {
        /** All right, or worth knowing. */
        INFO,
        /** May make an attempt fail: the CA may see something else than is seen from here. */
        WARNING,
        /** Makes an attempt fail. */
        ERROR
    }

    /** No component may be null. */
    public CheckFinding {
        Objects.requireNonNull(severity, "severity");
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(sentence, "sentence");
    }

    /** As in {@code WARNING example.com: …}. */
    @Override
    public String toString() {
        return severity + " " + (name.isEmpty() ? "" : name + ": ") + sentence;
    }
}
