package io.webproxy.undertow.http1;

import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.webproxy.undertow.exchange.HeadProblem;
import io.webproxy.undertow.message.ContentLength;
import io.webproxy.undertow.message.FieldRules;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The fields of one request head, and what follows from them for its body and the connection (RFC 9112 sections 6 and
 * 9.3). Pure; not thread-safe.
 */
final class RequestFields {
    /** No body, or a body of unknown length. */
    static final long NO_LENGTH = -1;

    /**
     * {@link HeaderValues} (2.4.4) counts in a byte, and throws at the 128th. Canary:
     * {@code UndertowDefectsTest.fieldHasAtMost127Values}.
     */
    private static final int MOST_OF_ONE_NAME = 100;

    private final HeaderMap all = new HeaderMap();
    private int count;
    private int lengths;
    private long length = NO_LENGTH;
    private boolean badLength;
    private int codings;
    private boolean chunked;
    private boolean close;
    private boolean keepAlive;

    HeaderMap all() {
        return all;
    }

    int count() {
        return count;
    }

    void add(HttpString name, String value) {
        count++;
        switch (name.length()) {
            case 10 -> {
                if (name.equals(Headers.CONNECTION)) {
                    connection(value);
                }
            }
            case 14 -> {
                if (name.equals(Headers.CONTENT_LENGTH)) {
                    lengths++;
                    length = ContentLength.parse(value);
                    badLength |= length < 0;
                }
            }
            case 17 -> {
                if (name.equals(Headers.TRANSFER_ENCODING)) {
                    codings++;
                    chunked = value.equalsIgnoreCase("chunked");
                }
            }
            default -> {
                // no effect here
            }
        }
        if (count > MOST_OF_ONE_NAME) {
            HeaderValues same = all.get(name);
            if (same != null && same.size() >= MOST_OF_ONE_NAME) {
                // RFC 9110 section 5.3, RFC 6265 section 4.2.1
                String separator = name.equals(Headers.COOKIE) ? "; " : ", ";
                String last = same.removeLast();
                all.add(name, last + separator + value);
                return;
            }
        }
        all.add(name, value);
    }

    private void connection(String value) {
        if (value.equalsIgnoreCase("keep-alive")) {
            keepAlive = true;
        } else if (value.equalsIgnoreCase("close")) {
            close = true;
        } else {
            for (String token : FieldRules.tokens(List.of(value))) {
                keepAlive |= token.equalsIgnoreCase("keep-alive");
                close |= token.equalsIgnoreCase("close");
            }
        }
    }

    /** The problem with the framing of the body, or null. */
    @Nullable HeadProblem problem(boolean http11) {
        if (codings > 0 && !(http11 && lengths == 0 && codings == 1 && chunked)) {
            return Problems.FRAMING;
        }
        return lengths > 1 || badLength ? Problems.LENGTH : null;
    }

    /** Whether the body is chunked; only without a {@link #problem}. */
    boolean isChunked() {
        return chunked;
    }

    /** The length of the body, or {@link #NO_LENGTH}; only without a {@link #problem}. */
    long length() {
        return length;
    }

    /** Whether the connection may stay open. */
    boolean isPersistent(boolean http11) {
        return !close && (http11 || keepAlive);
    }
}
