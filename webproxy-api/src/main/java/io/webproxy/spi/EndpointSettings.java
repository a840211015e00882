package io.webproxy.spi;

import io.webproxy.http.ProxyProtocol;
import io.webproxy.http.StatusPage;
import io.webproxy.port.EndpointBuilder;
import io.webproxy.tls.ClientCertificates;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The settings of one endpoint; empty ones are the server's. Immutable; made by {@link EndpointBuilder}. */
public final class EndpointSettings {
    private static final EndpointSettings DEFAULTS = new EndpointSettings(null, null, null, null, null);

    private final @Nullable String name;
    private final @Nullable String bind;
    private final @Nullable ProxyProtocol proxyProtocol;
    private final @Nullable ClientCertificates clientCertificates;
    private final @Nullable StatusPage statusPage;

    public EndpointSettings(
            @Nullable String name,
            @Nullable String bind,
            @Nullable ProxyProtocol proxyProtocol,
            @Nullable ClientCertificates clientCertificates,
            @Nullable StatusPage statusPage) {
        this.name = name;
        this.bind = bind;
        this.proxyProtocol = proxyProtocol;
        this.clientCertificates = clientCertificates;
        this.statusPage = statusPage;
    }

    /** All settings are the server's. */
    public static EndpointSettings defaults() {
        return DEFAULTS;
    }

    /** Its name, if one was given. */
    public Optional<String> name() {
        return Optional.ofNullable(name);
    }

    /** The address to bind to. */
    public Optional<String> bind() {
        return Optional.ofNullable(bind);
    }

    /** Whether connections start with a PROXY header. */
    public Optional<ProxyProtocol> proxyProtocol() {
        return Optional.ofNullable(proxyProtocol);
    }

    /** Client certificates. */
    public Optional<ClientCertificates> clientCertificates() {
        return Optional.ofNullable(clientCertificates);
    }

    /** The status page that it answers with, in place of the routes. */
    public Optional<StatusPage> statusPage() {
        return Optional.ofNullable(statusPage);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof EndpointSettings that
                && Objects.equals(name, that.name)
                && Objects.equals(bind, that.bind)
                && proxyProtocol == that.proxyProtocol
                && Objects.equals(clientCertificates, that.clientCertificates)
                && Objects.equals(statusPage, that.statusPage);
    }

    @Override
    public int hashCode() {
        return Objects.hash(name, bind, proxyProtocol, clientCertificates, statusPage);
    }

    @Override
    public String toString() {
        return "EndpointSettings[name=" + name + ", bind=" + bind + ", proxyProtocol=" + proxyProtocol
                + ", clientCertificates=" + clientCertificates + ", statusPage=" + statusPage + "]";
    }
}
