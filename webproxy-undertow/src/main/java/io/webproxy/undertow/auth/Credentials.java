package io.webproxy.undertow.auth;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * User and password of an {@code Authorization: Basic} field (RFC 7617 section 2). Holds the password until it is
 * wiped.
 */
final class Credentials {
    private static final String SCHEME = "Basic";

    private final String user;
    private final byte[] userAndPassword;
    private final int passwordStart;

    private Credentials(String user, byte[] userAndPassword, int passwordStart) {
        this.user = user;
        this.userAndPassword = userAndPassword;
        this.passwordStart = passwordStart;
    }

    /**
     * Parses the fields; null unless they are exactly one pair of user and password, in UTF-8 without control
     * characters.
     */
    static @Nullable Credentials parse(List<String> fields) {
        if (fields.size() != 1) {
            return null;
        }
        String field = fields.get(0).strip();
        int space = field.indexOf(' ');
        if (space < 0 || !field.substring(0, space).equalsIgnoreCase(SCHEME)) {
            return null;
        }
        String token = field.substring(space).stripLeading();
        if (token.isEmpty() || token.length() % 4 != 0) {
            return null;
        }
        try {
            return of(Base64.getDecoder().decode(token));
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    private static @Nullable Credentials of(byte[] bytes) {
        int colon = 0;
        while (colon < bytes.length && bytes[colon] != ':') {
            colon++;
        }
        if (colon == bytes.length || !isText(bytes)) {
            Arrays.fill(bytes, (byte) 0);
            return null;
        }
        return new Credentials(new String(bytes, 0, colon, StandardCharsets.UTF_8), bytes, colon + 1);
    }

    private static boolean isText(byte[] bytes) {
        try {
            CharBuffer text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
            boolean clean = text.chars().noneMatch(Character::isISOControl);
            Arrays.fill(text.array(), '\0');
            return clean;
        } catch (CharacterCodingException e) {
            return false;
        }
    }

    String user() {
        return user;
    }

    /** User, colon and password as received; not a copy. */
    byte[] userAndPassword() {
        return userAndPassword;
    }

    /** A copy of the password. */
    byte[] password() {
        return Arrays.copyOfRange(userAndPassword, passwordStart, userAndPassword.length);
    }

    void wipe() {
        Arrays.fill(userAndPassword, (byte) 0);
    }

    @Override
    public String toString() {
        return "Credentials(***)";
    }
}
