package io.webproxy.undertow.tunnel;

import io.webproxy.spi.HostPattern;
import java.util.List;

/**
 * One line of the agents file: who may announce what.
 *
 * @param name what the agent is called in logs and status
 * @param fingerprint of its key
 * @param names what it may announce: each itself, and for a wildcard also every name that it covers
 * @param ports which ports it may announce
 * @param shared whether it shares what it announces with other agents that do so too
 */
record AgentEntry(String name, String fingerprint, List<HostPattern> names, List<Ports> ports, boolean shared) {
    /** Ports from one to another, both included. */
    record Ports(int first, int last) {}

    AgentEntry {
        names = List.copyOf(names);
        ports = List.copyOf(ports);
    }

    /** Whether it may announce a name or a wildcard, which is in its normal form. */
    boolean allows(HostPattern wanted) {
        // a wildcard is allowed by itself only: another one covers names of one level
        return names.stream()
                .anyMatch(allowed ->
                        allowed.equals(wanted) || (!wanted.isWildcard() && allowed.matches(wanted.toString())));
    }

    boolean allows(int port) {
        return ports.stream().anyMatch(range -> port >= range.first && port <= range.last);
    }
}
