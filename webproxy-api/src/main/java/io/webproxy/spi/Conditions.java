package io.webproxy.spi;

import io.webproxy.route.Route;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The conditions of a route besides host and path: methods and fields. Immutable. */
public final class Conditions {
    private static final Set<String> EVERY = Set.of("");

    private final Set<String> methods;
    private final Set<HeaderMatch> headers;

    /** The conditions of a route. */
    Conditions(Route route) {
        this(route.methods(), route.headers());
    }

    /** Conditions of these methods and fields. */
    public Conditions(Set<String> methods, List<HeaderMatch> headers) {
        this.methods = methods;
        this.headers = headers.stream()
                .map(match -> new HeaderMatch(match.name().toLowerCase(Locale.ROOT), match.value()))
                .collect(Collectors.toUnmodifiableSet());
    }

    /**
     * Why earlier routes of the same host and path leave no request for this one, and what to do; null if they don't.
     */
    @Nullable String shadow(List<Route> before) {
        for (Route route : before) {
            Conditions other = new Conditions(route);
            if (other.methods.equals(methods) && other.headers.equals(headers)) {
                return methods.isEmpty() && headers.isEmpty()
                        ? "is given twice (expected: each host and path only once; several upstreams in one"
                                + " forward(a, b), or a group)"
                        : "with" + text()
                                + " (expected: each host and path with the same methods and fields only once)";
            }
        }
        Set<String> names = new TreeSet<>();
        for (String method : methods.isEmpty() ? EVERY : methods) {
            Route taker = before.stream()
                    .filter(route -> new Conditions(route).takes(method, headers))
                    .findFirst()
                    .orElse(null);
            if (taker == null) {
                return null;
            }
            names.add(taker.name());
        }
        return "with" + text() + " is never reached after " + String.join(" and ", names)
                + " (expected: the route with more conditions first)";
    }

    /** Whether every request of a method, or of any, is accepted if its fields meet {@code met}. */
    private boolean takes(String method, Set<HeaderMatch> met) {
        return (methods.isEmpty() || methods.contains(method))
                && headers.stream()
                        .allMatch(wanted -> met.stream()
                                .anyMatch(given -> given.name().equals(wanted.name())
                                        && (wanted.value().isEmpty() || wanted.equals(given))));
    }

    /**
     * A space and the conditions, in a fixed order; empty without any. For fields it has only the names, because values
     * may be secret.
     */
    public String text() {
        StringBuilder text = new StringBuilder();
        if (!methods.isEmpty()) {
            text.append(' ').append(String.join(",", new TreeSet<>(methods)));
        }
        headers.stream()
                .map(HeaderMatch::name)
                .distinct()
                .sorted()
                .forEach(name -> text.append(' ').append(name));
        return text.toString();
    }
}
