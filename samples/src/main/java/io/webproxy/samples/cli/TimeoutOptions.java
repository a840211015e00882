package io.webproxy.samples.cli;

import io.webproxy.ProxyConfig;
import io.webproxy.timeout.TimeoutClass;
import io.webproxy.timeout.TimeoutPolicy;
import java.time.Duration;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options for timeouts. */
final class TimeoutOptions {
    @Option(
            names = "--timeout",
            paramLabel = "NAME=TIME,...",
            description =
                    "Limits of silence by timeout class: default, long, download, websocket; also connect, first-byte"
                            + " until the response head in place of the class's, event-silence between two events of"
                            + " an event stream, and total for the whole exchange. A time is a number with ms, s, m or"
                            + " h, or none. Default: default=60s,long=10m,download=30m,websocket=none,connect=5s,first-byte=none,"
                            + "event-silence=none,total=none.")
    private @Nullable String timeout;

    void applyTo(ProxyConfig.Builder builder) {
        if (timeout != null) {
            builder.timeouts(policy(timeout));
        }
    }

    private static TimeoutPolicy policy(String limits) {
        TimeoutPolicy policy = TimeoutPolicy.defaults();
        Set<String> given = new HashSet<>();
        for (String limit : limits.split(",", -1)) {
            int equals = limit.indexOf('=');
            String name = limit.substring(0, Math.max(0, equals)).strip().toLowerCase(Locale.ROOT);
            if (equals < 0) {
                throw wrong(limit, "a name, =, and a time, such as long=10m");
            }
            if (!given.add(name)) {
                throw wrong(limit, name + " only once");
            }
            policy = with(
                    policy, name, limit, time(limit, limit.substring(equals + 1).strip()));
        }
        return policy;
    }

    private static TimeoutPolicy with(TimeoutPolicy policy, String name, String limit, Duration time) {
        return switch (name) {
            case "default" -> checked(limit, () -> policy.with(TimeoutClass.DEFAULT, time));
            case "long" -> checked(limit, () -> policy.with(TimeoutClass.LONG, time));
            case "download" -> checked(limit, () -> policy.with(TimeoutClass.DOWNLOAD, time));
            case "websocket" -> checked(limit, () -> policy.with(TimeoutClass.WEBSOCKET, time));
            case "connect" -> checked(limit, () -> policy.withConnect(time));
            case "first-byte" -> checked(limit, () -> policy.withFirstByte(time));
            case "event-silence" -> checked(limit, () -> policy.withEventSilence(time));
            case "total" -> checked(limit, () -> policy.withTotal(time));
            default ->
                throw wrong(
                        limit,
                        "default, long, download, websocket, connect, first-byte, event-silence or total, each with a"
                                + " time");
        };
    }

    private static TimeoutPolicy checked(String limit, Supplier<TimeoutPolicy> call) {
        try {
            return call.get();
        } catch (IllegalArgumentException e) {
            throw wrong(limit, "none, or 1 ms to 3650 days");
        }
    }

    private static Duration time(String limit, String text) {
        if (text.equalsIgnoreCase("none") || text.equals("0")) {
            return Duration.ZERO;
        }
        Duration time = Times.read(text);
        if (time == null) {
            throw wrong(limit, "a whole number with ms, s, m or h, or none");
        }
        return time;
    }

    private static IllegalArgumentException wrong(String limit, String expected) {
        return Complaint.wrong("--timeout", limit, expected);
    }
}
