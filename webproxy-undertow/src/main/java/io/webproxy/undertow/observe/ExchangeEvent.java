package io.webproxy.undertow.observe;

import io.webproxy.spi.ExchangeData;
import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;
import org.jspecify.annotations.Nullable;

/** An ended exchange. */
@Name("io.webproxy.Exchange")
@Label("Exchange")
@Category("webproxy")
@Description("A request and its response, at their end")
@StackTrace(false)
final class ExchangeEvent extends Event {
    @Label("Request Id")
    @Nullable String requestId;

    @Label("Method")
    @Nullable String method;

    @Label("Path")
    @Nullable String path;

    @Label("Protocol")
    @Nullable String protocol;

    @Label("Status")
    int status;

    @Label("Route")
    @Nullable String route;

    @Label("Upstream")
    @Nullable String upstream;

    @Label("Attempts")
    int attempts;

    @Label("Class at the Start")
    @Nullable String startClass;

    @Label("Class at the End")
    @Nullable String endClass;

    @Label("Error")
    @Nullable String error;

    @Label("Bytes In")
    @DataAmount
    long bytesIn;

    @Label("Bytes Out")
    @DataAmount
    long bytesOut;

    @Label("First Byte")
    @Description("From the request head to the response head; -1 without one")
    @Timespan
    long firstByte;

    @Label("Total")
    @Timespan
    long total;

    void of(ExchangeData exchange) {
        requestId = exchange.requestId();
        method = exchange.method();
        path = exchange.path();
        protocol = exchange.protocol();
        status = exchange.status();
        route = exchange.routeOrNull();
        upstream = exchange.upstreamOrNull();
        attempts = exchange.attempts();
        startClass = exchange.startClass().name();
        endClass = exchange.endClass().name();
        error = exchange.errorOrNull() == null ? null : exchange.errorOrNull().name();
        bytesIn = exchange.bytesIn();
        bytesOut = exchange.bytesOut();
        firstByte = exchange.firstByteOrNull() == null
                ? -1
                : exchange.firstByteOrNull().toNanos();
        total = exchange.total().toNanos();
    }
}
