package io.webproxy.undertow.tunnel;

import java.io.IOException;
import java.util.Locale;
import java.util.regex.Pattern;

/** Describes why a control channel broke, in one line that is the same for the same cause. Pure. */
final class FailureText {
    /** Conscrypt's messages start with a memory address. */
    private static final Pattern ADDRESS = Pattern.compile("\\b(ssl=)?0x[0-9a-f]+:? ?", Pattern.CASE_INSENSITIVE);

    /** The wording of Conscrypt and the JDK. */
    private static final Pattern NOT_TLS =
            Pattern.compile("Unable to parse TLS packet header|unrecognized SSL message|WRONG_VERSION_NUMBER");

    /** For the alert of a peer that doesn't pin this side's key, or has no line for it. */
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
