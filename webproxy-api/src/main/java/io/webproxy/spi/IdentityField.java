package io.webproxy.spi;

import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;

/** Names of fields in which only the server says who a client is, such as {@code X-Forwarded-User}. */
public final class IdentityField {
    private static final Pattern NAME = Pattern.compile("[A-Za-z][A-Za-z0-9-]{0,63}");
    private static final Pattern TAKEN =
            Pattern.compile("(proxy|content|accept|if|sec|grpc)-.*|x-(original|rewrite)-.*");
    private static final Set<String> TAKEN_NAMES = Set.of(
            "accept",
            "authorization",
            "client-cert-chain",
            "connection",
            "cookie",
            "date",
            "expect",
            "forwarded",
            "gateway-loop",
            "host",
            "http2-settings",
            "keep-alive",
            "max-forwards",
            "origin",
            "range",
            "referer",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade",
            "user-agent",
            "via",
            "x-real-ip",
            "x-request-id");

    private static final Pattern OF_A_USER =
            Pattern.compile("x-forwarded-(user|username|user-name|login|name|email|preferred-username)");
    private static final Pattern VISIBLE = Pattern.compile("[!-~]+");

    private IdentityField() {}

    /**
     * Whether a name can be that of a client certificate's field: of letters, digits and hyphens, because many servers
     * read an underscore as a hyphen, and without a meaning of its own.
     */
    public static boolean canHaveCertificates(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        return isFree(name) && (!lower.startsWith("x-forwarded-") || lower.startsWith("x-forwarded-client-"));
    }

    /**
     * Checks the name of a field for authenticated users.
     *
     * @throws IllegalArgumentException if it has other characters than letters, digits and hyphens, or a meaning of its
     *     own
     */
    public static String checkedForUsers(String option, String name) {
        String lower = Objects.requireNonNull(name, "field").toLowerCase(Locale.ROOT);
        if (!isFree(name)
                || folded(name).startsWith("client-cert")
                || (lower.startsWith("x-forwarded-")
                        && !OF_A_USER.matcher(lower).matches())) {
            throw new IllegalArgumentException(
                    option + ": " + name.replaceAll("[^!-~]", "?")
                            + " (expected: letters, digits and hyphens, and no name with a meaning of its own; such as X-Forwarded-User or Remote-User)");
        }
        return name;
    }

    private static boolean isFree(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        return NAME.matcher(name).matches() && !TAKEN.matcher(lower).matches() && !TAKEN_NAMES.contains(folded(name));
    }

    /** Whether servers may confuse two names: they differ in case and punctuation at most. */
    public static boolean isAlike(String one, String other) {
        return folded(one).equals(folded(other));
    }

    private static String folded(String name) {
        return name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-").replaceAll("^-|-$", "");
    }

    /** Whether a user's name can be sent in such a field: of visible ASCII characters only, and not empty. */
    public static boolean isSendable(String user) {
        return VISIBLE.matcher(user).matches();
    }
}
