package io.webproxy.acme;

import java.util.Objects;

/**
 * What {@link AcmeCertificates#check()} has found.
 *
 * @param severity how bad it is
 * @param name the DNS name or IP address that it is about; empty if it is about all
 * @param sentence what it is, and what to do
 */
public record CheckFinding(Severity severity, String name, String sentence) {
    /** How bad a finding is. */
    public enum Severity {
        /** As it should be, or worth knowing. */
        INFO,
        /** An attempt may fail by it: what is seen from here needn't be what the CA sees. */
        WARNING,
        /** An attempt fails by it. */
        ERROR
    }

    /** Nothing is null. */
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
