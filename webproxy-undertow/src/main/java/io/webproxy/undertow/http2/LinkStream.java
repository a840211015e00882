package io.webproxy.undertow.http2;

/** A stream of an HTTP/2 connection, in either role. */
interface LinkStream {
    /** Its number. */
    int id();

    StreamSource source();

    StreamSink sink();

    /** A task of the stream threw: it would wait forever. */
    void failed();
}
