package io.webproxy.undertow.tunnel;

import io.webproxy.spi.HostPattern;
import java.util.List;

/**
 * One line of the agents file: an agent, and what it may announce.
 *
 * @param name the agent's name in logs and status
 * @param fingerprint of its key
 * @param names names that it may announce; a wildcard allows itself and every name that it covers
 * @param ports ports that it may announce
 * @param shared whether other agents with this flag may announce the same
 */
record AgentEntry(String name, String fingerprint, List<HostPattern> names, List<Ports> ports, boolean shared) {
    /** A range of ports, inclusive. */
    record Ports(int first, int last) {}

    AgentEntry {
        names = List.copyOf(names);
        ports = List.copyOf(ports);
    }

    /** Whether it may announce a name or a wildcard, given in normal form. */
    boolean allows(HostPattern wanted) {
        // only the same wildcard allows a wildcard: another one covers names of one level
        return names.stream()
                .anyMatch(allowed ->
                        allowed.equals(wanted) || (!wanted.isWildcard() && allowed.matches(wanted.toString())));
    }

    boolean allows(int port) {
        return ports.stream().anyMatch(range -> port >= range.first && port <= range.last);
    }
}
