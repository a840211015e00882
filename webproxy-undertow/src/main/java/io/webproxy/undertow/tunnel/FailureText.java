package io.webproxy.undertow.tunnel;

import java.io.IOException;
import java.util.Locale;
import java.util.regex.Pattern;

/** What a broken control channel says for itself, in one line that is the same each time it happens. Pure. */
final class FailureText {
    /** Conscrypt names the place in memory first. */
    private static final Pattern ADDRESS = Pattern.compile("\\b(ssl=)?0x[0-9a-f]+:? ?", Pattern.CASE_INSENSITIVE);

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
        return ADDRESS.matcher(message.lines().findFirst().orElse(""))
                .replaceAll("")
                .strip();
    }
}
