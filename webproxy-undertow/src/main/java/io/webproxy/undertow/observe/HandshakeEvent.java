package io.webproxy.undertow.observe;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;
import org.jspecify.annotations.Nullable;

/** An ended TLS handshake of a client. */
@Name("io.webproxy.Handshake")
@Label("TLS Handshake")
@Category("webproxy")
@Description("A TLS handshake of a client, at its end")
@StackTrace(false)
final class HandshakeEvent extends Event {
    @Label("Failed")
    boolean failed;

    @Label("Version")
    @Nullable String version;

    @Label("Protocol by ALPN")
    @Nullable String protocol;

    @Label("Resumed")
    @Description("Whether it has resumed a session of an earlier connection")
    boolean resumed;

    @Label("Total")
    @Description("From the whole ClientHello to the end of the handshake")
    @Timespan
    long total;
}
