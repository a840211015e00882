package io.webproxy.undertow.upstream;

/** A request head that can be written in the protocol of any upstream. */
@FunctionalInterface
public interface RequestHead {
    /**
     * Writes the head; the writer must not be used after this call.
     *
     * @throws UnwritableException if the protocol can't carry it
     */
    void writeTo(HeadWriter out);
}
