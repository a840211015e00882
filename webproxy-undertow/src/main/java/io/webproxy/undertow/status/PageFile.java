package io.webproxy.undertow.status;

import io.webproxy.http.Answer;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;

/**
 * The page: one document with its style and its script, which a Content-Security-Policy names by their hashes. It loads
 * nothing but its data.
 */
final class PageFile {
    private static final String STYLE = "/*style*/";
    private static final String SCRIPT = "/*script*/";

    /** The answer with the page. */
    static final Answer ANSWER = make();

    private PageFile() {}

    private static Answer make() {
        String style = read("page.css");
        String script = read("page.js");
        String page = read("page.html").replace(STYLE, style).replace(SCRIPT, script);
        return Answer.of(200, "text/html; charset=utf-8", page.getBytes(StandardCharsets.UTF_8))
                .withHeader(
                        "Content-Security-Policy",
                        "default-src 'none'; script-src '" + hash(script) + "'; style-src '" + hash(style)
                                + "'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none';"
                                + " frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'");
    }

    private static String read(String name) {
        try (InputStream in = PageFile.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("no resource " + name);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).replace("\r\n", "\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** As a policy names what stands between the tags (CSP Level 3 section 2.3.1). */
    private static String hash(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return "sha256-" + Base64.getEncoder().encodeToString(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
