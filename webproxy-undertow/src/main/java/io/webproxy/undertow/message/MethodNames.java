package io.webproxy.undertow.message;

import io.undertow.util.HttpString;

/**
 * Compares request methods case-sensitively (RFC 9110 section 9.1): {@code head} isn't {@code HEAD}, and its answer has
 * a body. {@link HttpString} ignores case. Pure.
 */
public final class MethodNames {
    private MethodNames() {}

    /** Whether a method has this name. */
    public static boolean is(HttpString method, String name) {
        return method.toString().equals(name);
    }

    /** Whether a method is HEAD, whose responses have no body, whatever their fields are. */
    public static boolean isHead(HttpString method) {
        return is(method, "HEAD");
    }
}
