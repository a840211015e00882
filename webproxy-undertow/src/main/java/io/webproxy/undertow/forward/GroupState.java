package io.webproxy.undertow.forward;

import io.webproxy.route.Balancing;
import io.webproxy.route.OutlierEjection;
import io.webproxy.route.Upstream;
import io.webproxy.route.UpstreamGroup;
import io.webproxy.spi.SessionAffinity;
import io.webproxy.undertow.upstream.Upstreams;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The state of one upstream group, shared by all its routes: its upstreams with their health and failures, and its
 * balancing. Thread-safe.
 */
final class GroupState {
    private final UpstreamGroup group;
    private final Balancing balancing;
    private final @Nullable Affinity affinity;
    private final List<Candidate> candidates;

    private GroupState(UpstreamGroup group, Balancing balancing, List<Candidate> candidates) {
        this.group = group;
        this.balancing = balancing;
        this.affinity = balancing instanceof Affinity sticky ? sticky : null;
        this.candidates = List.copyOf(candidates);
    }

    /**
     * The state of a group.
     *
     * @param server the ejection of groups without their own
     * @param before the state of the replaced group; what still applies is kept
     */
    static GroupState of(
            UpstreamGroup group, OutlierEjection server, Upstreams upstreams, @Nullable GroupState before) {
        OutlierEjection ejection = group.outlierEjection().orElse(server);
        List<Candidate> candidates = new ArrayList<>();
        for (Upstream upstream : group.upstreams()) {
            Candidate known = before == null ? null : before.candidate(upstream);
            candidates.add(new Candidate(
                    upstream,
                    upstreams.health(group, upstream),
                    known == null ? new Cooldown() : known.cooldown(),
                    known == null ? new Latency() : known.latency(),
                    slowStart(group, known, before != null, upstreams.now()),
                    failures(ejection, upstreams, known)));
        }
        return new GroupState(group, balancing(group, before), candidates);
    }

    private static Balancing balancing(UpstreamGroup group, @Nullable GroupState before) {
        // balancing that depends only on the upstreams is made for them
        if (before == null
                || before.balancing instanceof CookieAffinity
                || !before.group.balancing().equals(group.balancing())) {
            return Affinity.of(group);
        }
        return before.balancing;
    }

    /**
     * The slow start of an upstream; null for none.
     *
     * @param known the upstream in the group before; null if it is new
     * @param joins whether there was a group before
     */
    private static @Nullable SlowStart slowStart(
            UpstreamGroup group, @Nullable Candidate known, boolean joins, long now) {
        Balancing balancing = group.balancing();
        if (group.slowStart().isZero()
                || balancing instanceof SessionAffinity
                || balancing.equals(Balancing.failover())
                || balancing.equals(Balancing.clientAddressHash())) {
            return null;
        }
        long time = group.slowStart().toNanos();
        SlowStart before = known == null ? null : known.slowStart();
        if (before != null && before.time() == time) {
            return before;
        }
        SlowStart made = new SlowStart(time);
        if (joins && known == null) {
            made.begin(now);
        }
        return made;
    }

    private @Nullable Candidate candidate(Upstream upstream) {
        for (Candidate known : candidates) {
            if (known.upstream().equals(upstream)) {
                return known;
            }
        }
        return null;
    }

    private static @Nullable FailureWindow failures(
            OutlierEjection ejection, Upstreams upstreams, @Nullable Candidate known) {
        if (ejection.failureShare() == 0) {
            return null;
        }
        FailureWindow before = known == null ? null : known.failures();
        return before != null && before.limit().equals(ejection)
                ? before
                : new FailureWindow(ejection, upstreams.now());
    }

    UpstreamGroup group() {
        return group;
    }

    /** The group's balancing, or that of an equal group before, which keeps its counters. */
    Balancing balancing() {
        return balancing;
    }

    /** What keeps sessions on their upstreams; null for none. */
    @Nullable Affinity affinity() {
        return affinity;
    }

    /** In the order of the group. */
    List<Candidate> candidates() {
        return candidates;
    }
}
