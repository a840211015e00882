package io.webproxy.spi;

import io.webproxy.route.Balancing;
import java.util.Locale;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * Session affinity by a header field or a cookie, which the engine implements. Unknown sessions are balanced by
 * {@link #others()}. Equal if kind and name are.
 */
public final class SessionAffinity implements Balancing {
    /** A token (RFC 9110 section 5.6.2). */
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}");

    private final boolean cookie;
    private final String name;
    private final Balancing others;

    private SessionAffinity(boolean cookie, String name, Balancing others) {
        this.cookie = cookie;
        this.name = name;
        this.others = others;
    }

    /**
     * By a header field whose values upstreams issue.
     *
     * @throws IllegalArgumentException if the name can't be a field's
     */
    public static SessionAffinity header(String name, Balancing others) {
        return new SessionAffinity(false, checked("header", name, "a field, such as Mcp-Session-Id"), others);
    }

    /**
     * By a cookie that the proxy sets.
     *
     * @throws IllegalArgumentException if the name can't be a cookie's
     */
    public static SessionAffinity cookie(String name, Balancing others) {
        return new SessionAffinity(true, checked("cookie", name, "a cookie, such as SERVER"), others);
    }

    private static String checked(String kind, String name, String expected) {
        if (!NAME.matcher(Objects.requireNonNull(name, "name")).matches()) {
            throw new IllegalArgumentException(
                    "balancing." + kind + ": " + name + " (expected: the name of " + expected + ")");
        }
        return name;
    }

    /** Whether it is by cookie, otherwise by header field. */
    public boolean isCookie() {
        return cookie;
    }

    /** The name of the cookie or field. */
    public String name() {
        return name;
    }

    /** The balancing of unknown sessions. */
    public Balancing others() {
        return others;
    }

    @Override
    public int choose(Choice choice) {
        return others.choose(choice);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SessionAffinity that
                && cookie == that.cookie
                && (cookie ? name.equals(that.name) : name.equalsIgnoreCase(that.name));
    }

    @Override
    public int hashCode() {
        return name.toLowerCase(Locale.ROOT).hashCode();
    }

    @Override
    public String toString() {
        return (cookie ? "cookie(" : "header(") + name + ")";
    }
}
