package io.webproxy.undertow.exchange;

import io.undertow.util.HttpString;

/** Takes the fields of a head. */
public interface FieldWriter {
    /**
     * Adds a field.
     *
     * @throws RuntimeException if what takes the head can't carry it
     */
    void field(HttpString name, String value);
}
