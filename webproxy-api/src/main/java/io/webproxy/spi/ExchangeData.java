package io.webproxy.spi;

import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.ForwardError;
import io.webproxy.timeout.TimeoutClass;
import java.net.InetAddress;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The record of an exchange. The parameters are those of {@link ExchangeRecord}; null values are empty there. */
public record ExchangeData(
        String requestId,
        Instant start,
        InetAddress client,
        @Nullable String userOrNull,
        @Nullable X509Certificate certificateOrNull,
        String method,
        String scheme,
        String authority,
        String path,
        String query,
        String protocol,
        @Nullable String routeOrNull,
        @Nullable String upstreamOrNull,
        @Nullable String upstreamProtocolOrNull,
        int status,
        boolean proxyAnswered,
        TimeoutClass startClass,
        TimeoutClass endClass,
        long bytesIn,
        long bytesOut,
        int attempts,
        Duration connect,
        @Nullable Duration firstByteOrNull,
        Duration total,
        @Nullable ForwardError errorOrNull,
        @Nullable Integer grpcStatusOrNull,
        @Nullable String userAgentOrNull,
        @Nullable String refererOrNull,
        @Nullable String traceParentOrNull,
        @Nullable String traceStateOrNull,
        Map<String, String> tags)
        implements ExchangeRecord {
    @Override
    public Optional<String> user() {
        return Optional.ofNullable(userOrNull);
    }

    @Override
    public Optional<X509Certificate> clientCertificate() {
        return Optional.ofNullable(certificateOrNull);
    }

    @Override
    public Optional<String> route() {
        return Optional.ofNullable(routeOrNull);
    }

    @Override
    public Optional<String> upstream() {
        return Optional.ofNullable(upstreamOrNull);
    }

    @Override
    public Optional<String> upstreamProtocol() {
        return Optional.ofNullable(upstreamProtocolOrNull);
    }

    @Override
    public Optional<Duration> firstByte() {
        return Optional.ofNullable(firstByteOrNull);
    }

    @Override
    public Optional<ForwardError> error() {
        return Optional.ofNullable(errorOrNull);
    }

    @Override
    public Optional<Integer> grpcStatus() {
        return Optional.ofNullable(grpcStatusOrNull);
    }

    @Override
    public Optional<String> userAgent() {
        return Optional.ofNullable(userAgentOrNull);
    }

    @Override
    public Optional<String> referer() {
        return Optional.ofNullable(refererOrNull);
    }

    @Override
    public Optional<String> traceParent() {
        return Optional.ofNullable(traceParentOrNull);
    }

    @Override
    public Optional<String> traceState() {
        return Optional.ofNullable(traceStateOrNull);
    }

    /** Omits the query, the user agent and the referrer, which may hold secrets. */
    @Override
    public String toString() {
        return "ExchangeRecord[" + requestId + " " + method + " " + scheme + "://" + authority + path + " " + protocol
                + " " + status + (grpcStatusOrNull == null ? "" : " grpc-status=" + grpcStatusOrNull)
                + (errorOrNull == null ? "" : " " + errorOrNull) + " route=" + routeOrNull + " upstream="
                + upstreamOrNull + " class=" + startClass + "->" + endClass + " in=" + bytesIn + " out=" + bytesOut
                + " total=" + total + "]";
    }
}
