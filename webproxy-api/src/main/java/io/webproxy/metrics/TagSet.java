package io.webproxy.metrics;

import io.webproxy.observe.ForwardError;
import io.webproxy.spi.ExchangeData;
import io.webproxy.timeout.TimeoutClass;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The tags of an exchange but its route, packed into a number that is never 0, so that a look-up allocates nothing.
 * Every part has few values: an unknown method or protocol, and a status that isn't one, is {@code other}. Pure.
 */
@SuppressWarnings("EnumOrdinal") // numbers that never leave the JVM
final class TagSet {
    private static final String[] METHODS = {
        MeterSet.OTHER, "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"
    };
    private static final String[] PROTOCOLS = {MeterSet.OTHER, "HTTP/1.0", "HTTP/1.1", "HTTP/2.0"};
    private static final String[] OUTCOMES = {
        "UNKNOWN", "INFORMATIONAL", "SUCCESS", "REDIRECTION", "CLIENT_ERROR", "SERVER_ERROR"
    };
    private static final TimeoutClass[] CLASSES = TimeoutClass.values();
    private static final ForwardError[] ERRORS = ForwardError.values();
    private static final Set<String> FEW = Set.of("outcome", "route", "error");
    private static final int LEAST_STATUS = 100;
    private static final int MOST_STATUS = 999;

    private TagSet() {}

    /** The tags of an exchange. */
    static int of(ExchangeData exchange) {
        int status = exchange.status();
        ForwardError error = exchange.errorOrNull();
        return (status < LEAST_STATUS || status > MOST_STATUS ? LEAST_STATUS - 1 : status)
                | method(exchange.method()) << 10
                | protocol(exchange.protocol()) << 14
                | exchange.startClass().ordinal() << 16
                | exchange.endClass().ordinal() << 19
                | (error == null ? 0 : error.ordinal() + 1) << 22;
    }

    private static int method(String name) {
        return switch (name) {
            case "GET" -> 1;
            case "HEAD" -> 2;
            case "POST" -> 3;
            case "PUT" -> 4;
            case "DELETE" -> 5;
            case "PATCH" -> 6;
            case "OPTIONS" -> 7;
            case "TRACE" -> 8;
            case "CONNECT" -> 9;
            default -> 0;
        };
    }

    private static int protocol(String name) {
        return switch (name) {
            case "HTTP/1.0" -> 1;
            case "HTTP/1.1" -> 2;
            case "HTTP/2.0" -> 3;
            default -> 0;
        };
    }

    /** The index of the protocol, below {@link #protocols()}. */
    static int protocol(int tags) {
        return tags >> 14 & 3;
    }

    /** How many protocols there are. */
    static int protocols() {
        return PROTOCOLS.length;
    }

    /** A protocol's name. */
    static String protocolName(int index) {
        return PROTOCOLS[index];
    }

    /** The tag's value of an error. */
    static String error(@Nullable ForwardError error) {
        return error == null ? MeterSet.NONE : error.name();
    }

    private static String outcome(int status) {
        int hundred = status / 100;
        return OUTCOMES[hundred < OUTCOMES.length ? hundred : 0];
    }

    /** All tags, by name and value in turns. */
    static String[] names(int tags, String route) {
        int status = tags & 0x3ff;
        int error = tags >> 22;
        return new String[] {
            "method",
            METHODS[tags >> 10 & 0xf],
            "status",
            status < LEAST_STATUS ? MeterSet.OTHER : Integer.toString(status),
            "outcome",
            outcome(status),
            "route",
            route,
            "protocol",
            PROTOCOLS[protocol(tags)],
            "class",
            CLASSES[tags >> 16 & 7].name(),
            "class.end",
            CLASSES[tags >> 19 & 7].name(),
            "error",
            error(error == 0 ? null : ERRORS[error - 1])
        };
    }

    /** A number for what {@link #fewNames} tells apart but the route, which is never 0 either. */
    static int few(int tags) {
        int hundred = (tags & 0x3ff) / 100;
        return tags >> 22 << 3 | (hundred < OUTCOMES.length ? hundred : 0) + 1;
    }

    /** The tags when there are too many sets of them: only the outcome, the route and the error are told apart. */
    static String[] fewNames(int tags, String route) {
        String[] names = names(tags, route);
        for (int i = 0; i < names.length; i += 2) {
            if (!FEW.contains(names[i])) {
                names[i + 1] = MeterSet.OTHER;
            }
        }
        return names;
    }
}
