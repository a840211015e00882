package io.webproxy.undertow.upstream;

/** A request head that knows how to write itself for whichever protocol the upstream speaks. */
@FunctionalInterface
public interface RequestHead {
    /**
     * Writes the head; the writer is used on this call alone.
     *
     * @throws UnwritableException if the protocol can't carry it
     */
    void writeTo(HeadWriter out);
}
