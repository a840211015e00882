package io.webproxy.acme.certificate;

import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A block of a PEM text (RFC 7468). Immutable. */
final class Pem {
    private static final Pattern BLOCK =
            Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----\\s+([A-Za-z0-9+/=\\s]*)-----END \\1-----");

    private final String type;
    private final byte[] content;

    /** A block with a label, such as {@code CERTIFICATE}. */
    Pem(String type, byte[] content) {
        this.type = type;
        this.content = content.clone();
    }

    /**
     * The blocks of a text, in order; anything that isn't a complete block is skipped.
     *
     * @throws IllegalArgumentException if one isn't base64
     */
    static List<Pem> all(String text) {
        List<Pem> blocks = new ArrayList<>();
        Matcher matcher = BLOCK.matcher(text);
        while (matcher.find()) {
            String base64 = matcher.group(2).replaceAll("\\s", "");
            blocks.add(new Pem(matcher.group(1), Base64.getDecoder().decode(base64)));
        }
        return blocks;
    }

    String type() {
        return type;
    }

    byte[] content() {
        return content.clone();
    }

    /** The block as text. */
    String text() {
        Base64.Encoder lines = Base64.getMimeEncoder(64, new byte[] {'\n'});
        return "-----BEGIN " + type + "-----\n" + lines.encodeToString(content) + "\n-----END " + type + "-----\n";
    }
}
