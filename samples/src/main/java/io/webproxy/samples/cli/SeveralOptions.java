package io.webproxy.samples.cli;

import io.webproxy.route.Balancing;
import io.webproxy.route.Route;
import io.webproxy.route.Upstream;
import io.webproxy.route.UpstreamGroup;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options for services with several URLs: which one gets a request, and when another one gets it too. */
final class SeveralOptions {
    private static final String BALANCINGS = "round-robin, least-connections, two-choices, least-time, failover,"
            + " client-address, header:NAME or cookie:NAME";

    @Option(
            names = "--balancing",
            paramLabel = "HOW",
            description = "Which of several URLs gets a request: " + BALANCINGS + "; default: round-robin.")
    private @Nullable String balancing;

    @Option(
            names = "--slow-start",
            paramLabel = "TIME",
            description = "Over what time a URL that comes back gets its share of requests again, such as 1m; default:"
                    + " at once.")
    private @Nullable String slowStart;

    @Option(
            names = "--retry-on",
            paramLabel = "STATUS,…",
            description = "A request that one URL answers by one of these statuses goes to another one, such as"
                    + " 429,503; default: none. Only GET, HEAD, OPTIONS, PUT and DELETE with bodies up to 1 MiB.")
    private @Nullable String retryOn;

    @Option(
            names = "--retry-on-first-byte",
            paramLabel = "TIME",
            description = "A request that one URL doesn't answer in this time goes to another one; default: never.")
    private @Nullable String firstByte;

    @Option(
            names = "--retry-non-idempotent",
            description = "The same for POST and all other methods: what such a request does may then be done twice.")
    private boolean nonIdempotent;

    /** Checks all values. */
    void check() {
        balancing();
        slowStart();
        applyTo(Route.builder());
        if (nonIdempotent && retryOn == null && firstByte == null) {
            throw Complaint.wrong(
                    "--retry-non-idempotent",
                    "given alone",
                    "--retry-on STATUS,… or --retry-on-first-byte TIME with it");
        }
    }

    /** Forwards a route to these upstreams. */
    void forward(Route.Builder route, List<Upstream> upstreams) {
        if (balancing == null && slowStart == null) {
            route.forward(upstreams.toArray(Upstream[]::new));
        } else {
            route.forward(UpstreamGroup.of(upstreams.toArray(Upstream[]::new))
                    .balancing(balancing())
                    .slowStart(slowStart()));
        }
        applyTo(route);
    }

    private Balancing balancing() {
        String how = balancing == null ? "round-robin" : balancing;
        int colon = how.indexOf(':');
        String name = how.substring(colon + 1);
        return switch ((colon < 0 ? how : how.substring(0, colon + 1)).toLowerCase(Locale.ROOT)) {
            case "round-robin" -> Balancing.roundRobin();
            case "least-connections" -> Balancing.leastConnections();
            case "two-choices" -> Balancing.powerOfTwoChoices();
            case "least-time" -> Balancing.leastTime();
            case "failover" -> Balancing.failover();
            case "client-address" -> Balancing.clientAddressHash();
            case "header:" -> Complaint.of("--balancing", () -> Balancing.header(name));
            case "cookie:" -> Complaint.of("--balancing", () -> Balancing.cookie(name));
            default -> throw Complaint.wrong("--balancing", how, BALANCINGS);
        };
    }

    private Duration slowStart() {
        String text = slowStart;
        return text == null
                ? Duration.ZERO
                : Complaint.of(
                                "--slow-start",
                                () -> UpstreamGroup.of("http://h").slowStart(time("--slow-start", text)))
                        .slowStart();
    }

    private void applyTo(Route.Builder route) {
        String text = firstByte;
        if (retryOn != null) {
            int[] statuses = statuses(retryOn);
            Complaint.of("--retry-on", () -> route.retryOn(statuses));
        }
        if (text != null) {
            Complaint.of("--retry-on-first-byte", () -> route.retryOnFirstByte(time("--retry-on-first-byte", text)));
        }
        if (nonIdempotent) {
            route.retryNonIdempotent();
        }
    }

    private static int[] statuses(String list) {
        List<Integer> statuses = new ArrayList<>();
        for (String status : list.split(",", -1)) {
            if (!status.strip().matches("[0-9]{3}")) {
                throw Complaint.wrong("--retry-on", status, "statuses from 400 to 599, such as 429,503");
            }
            statuses.add(Integer.parseInt(status.strip()));
        }
        return statuses.stream().mapToInt(Integer::intValue).toArray();
    }

    private static Duration time(String option, String text) {
        Duration time = Times.read(text);
        if (time == null) {
            throw Complaint.wrong(option, text, "a number with ms, s, m or h, such as 20s");
        }
        return time;
    }
}
