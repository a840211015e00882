package io.webproxy.undertow.tunnel;

import java.io.IOException;
import java.util.Locale;
import java.util.regex.Pattern;

/** What a broken control channel says for itself, in one line that is the same each time it happens. Pure. */
final class FailureText {
    /** Conscrypt names the place in memory first. */
    private static final Pattern ADDRESS = Pattern.compile("\\b(ssl=)?0x[0-9a-f]+:? ?", Pattern.CASE_INSENSITIVE);

    /** As Conscrypt and the JDK say it. */
    private static final Pattern NOT_TLS =
            Pattern.compile("Unable to parse TLS packet header|unrecognized SSL message|WRONG_VERSION_NUMBER");

    /** A side whose peer shows a key that it doesn't pin, or has no line for, says that this is unknown to it. */
    static final String KEY_REFUSED = "the peer doesn't accept the key of this side";

    private FailureText() {}

    static String of(IOException failure) {
        String message = failure.getMessage();
        if (message == null) {
            return failure.getClass().getSimpleName();
        }
        if (message.toLowerCase(Locale.ROOT).contains("certificate_unknown")) {
            return KEY_REFUSED;
        }
        if (NOT_TLS.matcher(message).find()) {
            return "the peer doesn't speak TLS";
        }
        return ADDRESS.matcher(message.lines().findFirst().orElse(""))
                .replaceAll("")
                .strip();
    }
}
