package io.webproxy.undertow.upstream;

import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.webproxy.http.ResponseHead;
import io.webproxy.undertow.message.CommonNames;
import io.webproxy.undertow.message.FieldRules;
import java.util.List;
import java.util.Optional;

/** An upstream's response head, syntactically valid. */
public final class ParsedHead implements ResponseHead {
    /** How the end of the body is determined (RFC 9112 section 6.3). */
    enum Framing {
        NONE,
        LENGTH,
        CHUNKED,
        CLOSE
    }

    private final int status;
    private final String reason;
    private final HeaderMap fields;
    private final Framing framing;
    private final long contentLength;
    private final boolean persistent;
    private final boolean upgrade;

    ParsedHead(int status, String reason, boolean http10, HeaderMap fields, Framing framing, long contentLength) {
        this.status = status;
        this.reason = reason;
        this.fields = fields;
        this.framing = framing;
        this.contentLength = contentLength;
        this.persistent = framing != Framing.CLOSE
                && (http10
                        ? FieldRules.hasToken(fields, Headers.CONNECTION, "keep-alive")
                        : !FieldRules.hasToken(fields, Headers.CONNECTION, "close"));
        this.upgrade = FieldRules.hasToken(fields, Headers.CONNECTION, "upgrade");
    }

    @Override
    public int status() {
        return status;
    }

    /** The reason phrase, empty if there was none. */
    public String reason() {
        return reason;
    }

    /** The fields as received; the caller may change them. */
    public HeaderMap fields() {
        return fields;
    }

    Framing framing() {
        return framing;
    }

    long contentLength() {
        return contentLength;
    }

    /** Whether the head determines the body's length: none, or {@code Content-Length}. */
    public boolean isLengthKnown() {
        return framing == Framing.NONE || framing == Framing.LENGTH;
    }

    /** Whether the connection can serve another exchange after this one. */
    boolean isPersistent() {
        return persistent;
    }

    /** Whether {@code Connection} names {@code upgrade}. */
    public boolean isUpgrade() {
        return upgrade;
    }

    @Override
    public Optional<String> header(String name) {
        return Optional.ofNullable(CommonNames.first(fields, name));
    }

    @Override
    public List<String> headers(String name) {
        return CommonNames.all(fields, name);
    }

    @Override
    public List<String> headerNames() {
        return CommonNames.names(fields);
    }
}
