package io.webproxy.undertow.http2;

import io.undertow.util.HttpString;

/** Takes the fields of a block in their order, as they come out of HPACK: nothing is known about them yet. */
interface FieldSink {
    /**
     * One field, pseudo-header fields included.
     *
     * @param name any bytes, perhaps none; names that are well known are shared constants in lower case. An
     *     {@link HttpString} can't hold CR and LF: they have become spaces, which no valid name has either
     * @param value any bytes, as ISO-8859-1; the same object whenever it is repeated by index
     */
    void field(HttpString name, String value);
}
