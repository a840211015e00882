package io.webproxy.undertow.exchange;

import io.undertow.util.HttpString;

/** Writes the fields of a head. */
public interface FieldWriter {
    /**
     * Adds a field.
     *
     * @throws RuntimeException if the protocol can't carry the field
     */
    void field(HttpString name, String value);
}
