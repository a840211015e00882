package io.webproxy.port;

import io.webproxy.http.ProxyProtocol;
import io.webproxy.http.StatusPage;
import io.webproxy.spi.EndpointSettings;
import io.webproxy.tls.ClientCertificates;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Collects the settings of one endpoint that differ from the server's. Not thread-safe. */
@SuppressWarnings("exports") // what only the engine reads has types of io.webproxy.spi
public final class EndpointBuilder {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,64}");

    private @Nullable String name;
    private @Nullable String bind;
    private @Nullable ProxyProtocol proxyProtocol;
    private @Nullable ClientCertificates clientCertificates;
    private @Nullable StatusPage statusPage;

    /** All settings are the server's. */
    public EndpointBuilder() {}

    /**
     * The name of the endpoint in status, events and logs; default: its protocol and port, such as {@code https-8443}.
     *
     * @throws IllegalArgumentException unless it is 1 to 64 letters, digits, dots, hyphens or underscores
     */
    public EndpointBuilder name(String name) {
        if (!NAME.matcher(Objects.requireNonNull(name, "name")).matches()) {
            throw new IllegalArgumentException(
                    "name: '" + name + "' (expected: 1-64 letters, digits, dots, hyphens or underscores)");
        }
        this.name = name;
        return this;
    }

    /**
     * The local address or host name to bind to; default: the server's.
     *
     * @throws IllegalArgumentException if it is blank
     */
    public EndpointBuilder bind(String address) {
        if (Objects.requireNonNull(address, "address").isBlank()) {
            throw new IllegalArgumentException("bind: '' (expected: a local address such as 127.0.0.1)");
        }
        this.bind = address;
        return this;
    }

    /**
     * Whether connections start with a header of the PROXY protocol; believed only from trusted proxies. Default: the
     * server's.
     */
    public EndpointBuilder proxyProtocol(ProxyProtocol mode) {
        this.proxyProtocol = Objects.requireNonNull(mode, "proxyProtocol");
        return this;
    }

    /** Client certificates, where TLS is terminated here; default: the server's. */
    public EndpointBuilder clientCertificates(ClientCertificates asked) {
        this.clientCertificates = Objects.requireNonNull(asked, "clientCertificates");
        return this;
    }

    /**
     * Answers every request here with the status of the server, in place of the routes; for {@code http} and
     * {@code https}. The server's authenticator holds, if there is one. Default: the routes.
     */
    public EndpointBuilder answer(StatusPage page) {
        this.statusPage = Objects.requireNonNull(page, "answer");
        return this;
    }

    /** The collected settings. */
    public EndpointSettings build() {
        return new EndpointSettings(name, bind, proxyProtocol, clientCertificates, statusPage);
    }
}
