package io.webproxy.undertow.auth;

import io.webproxy.spi.IdentityField;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The users of an htpasswd file with their bcrypt hashes. Immutable. */
final class PasswordFile {
    private static final int MAX_BYTES = 1 << 24;
    private static final Pattern BCRYPT = Pattern.compile("\\$2[aby]\\$([0-9]{2})\\$[./A-Za-z0-9]{53}");
    private static final int MIN_COST = 4;

    /** The limit of {@code htpasswd}; above it one check takes half a minute and more. */
    private static final int MAX_COST = 17;

    private final Map<String, String> hashes = new HashMap<>();
    private final boolean ended;
    private int highestCost = MIN_COST;
    /** Where the first user is who can't be sent to an upstream; null if there is none. */
    private @Nullable String unsendable;

    private PasswordFile(boolean ended) {
        this.ended = ended;
    }

    /**
     * Parses a file.
     *
     * @throws IllegalArgumentException with one sentence about the problem, which never shows a hash
     */
    static PasswordFile read(Path file) {
        String text;
        if (Files.isDirectory(file)) {
            throw new IllegalArgumentException(
                    "htpasswd: " + file + " is a directory (expected: a file made with htpasswd -B)");
        }
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MAX_BYTES);
            if (bytes.length == MAX_BYTES) {
                throw new IllegalArgumentException("htpasswd: " + file + " (expected: a file below 16 MB)");
            }
            text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException("htpasswd: " + file + " (expected: text in UTF-8)", e);
        } catch (NoSuchFileException e) {
            throw new IllegalArgumentException(
                    "htpasswd: " + file + " doesn't exist (expected: a file made with htpasswd -B)", e);
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    "htpasswd: " + file + " can't be read (expected: a file that this user may read)", e);
        }
        PasswordFile users = new PasswordFile(text.endsWith("\n"));
        int number = 0;
        for (String line : text.split("\n", -1)) {
            users.add(line.endsWith("\r") ? line.substring(0, line.length() - 1) : line, file + ", line " + ++number);
        }
        if (users.hashes.isEmpty()) {
            throw new IllegalArgumentException(
                    "htpasswd: " + file + " has no user (expected: user:hash lines; add one by htpasswd -B)");
        }
        return users;
    }

    private void add(String line, String where) {
        if (line.isBlank() || line.stripLeading().startsWith("#")) {
            return;
        }
        int colon = line.indexOf(':');
        if (colon <= 0 || line.substring(0, colon).chars().anyMatch(Character::isISOControl)) {
            throw new IllegalArgumentException("htpasswd: " + where + " (expected: user:hash)");
        }
        String user = line.substring(0, colon);
        // a comment may follow the hash
        String hash = line.substring(colon + 1).split(":", 2)[0].strip();
        Matcher bcrypt = BCRYPT.matcher(hash);
        if (!bcrypt.matches()) {
            throw new IllegalArgumentException("htpasswd: " + where
                    + ", another kind of hash than bcrypt (expected: $2y$, $2a$ or $2b$; make it with htpasswd -B)");
        }
        int cost = Integer.parseInt(bcrypt.group(1));
        if (cost < MIN_COST || cost > MAX_COST) {
            throw new IllegalArgumentException(
                    "htpasswd: " + where + ", cost " + cost + " (expected: " + MIN_COST + "-" + MAX_COST + ")");
        }
        if (hashes.put(user, hash) != null) {
            throw new IllegalArgumentException(
                    "htpasswd: " + where + ", a user that is there already" + " (expected: each user once)");
        }
        highestCost = Math.max(highestCost, cost);
        if (unsendable == null && !IdentityField.isSendable(user)) {
            unsendable = where + ", user " + user.replaceAll("[^!-~]", "?");
        }
    }

    /** The hash of a user, or null if there is no such user. */
    @Nullable String hashOf(String user) {
        return hashes.get(user);
    }

    /**
     * A hash that no password has, checked for unknown users: the time of an answer mustn't reveal whether a user
     * exists.
     */
    String hashOfNobody() {
        return "$2b$" + (highestCost < 10 ? "0" : "") + highestCost + "$" + ".".repeat(53);
    }

    /**
     * Checks that all users can be sent to upstreams.
     *
     * @param sender who does that, for the message
     * @throws IllegalArgumentException with one sentence that names the first user who can't be sent
     */
    void checkSendable(String sender) {
        if (unsendable != null) {
            throw new IllegalArgumentException(
                    "htpasswd: " + unsendable + " (expected: users of visible ASCII characters, for " + sender + ")");
        }
    }

    /** Whether the last line ends with a line end; otherwise part of the file may be missing. */
    boolean isEnded() {
        return ended;
    }

    int size() {
        return hashes.size();
    }

    boolean sameAs(@Nullable PasswordFile other) {
        return other != null && hashes.equals(other.hashes);
    }

    @Override
    public String toString() {
        return hashes.size() + " users";
    }
}
