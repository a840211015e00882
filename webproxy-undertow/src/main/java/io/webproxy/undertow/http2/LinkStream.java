package io.webproxy.undertow.http2;

/** A stream of an HTTP/2 connection, in either role. */
interface LinkStream {
    /** Its number. */
    int id();

    StreamSource source();

    StreamSink sink();

    /** What was to be done for it has thrown: it would wait for ever. */
    void failed();
}
