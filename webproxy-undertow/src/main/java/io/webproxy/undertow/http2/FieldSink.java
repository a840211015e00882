package io.webproxy.undertow.http2;

import io.undertow.util.HttpString;

/** Takes the decoded, unchecked fields of an HPACK block in order. */
interface FieldSink {
    /**
     * One field, pseudo-header fields included.
     *
     * @param name any bytes, possibly none; well-known names are shared constants in lower case. An {@link HttpString}
     *     can't contain CR and LF: they became spaces, which no valid name contains either
     * @param value any bytes, as ISO-8859-1; the same object whenever it is repeated by index
     */
    void field(HttpString name, String value);
}
