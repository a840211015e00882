package io.webproxy.undertow.tls;

import io.undertow.connector.ByteBufferPool;
import io.undertow.protocols.ssl.UndertowXnioSsl;
import io.webproxy.tls.ClientCertificates;
import io.webproxy.tls.ClientHello;
import io.webproxy.undertow.tls.engine.HandshakeKeys;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import org.xnio.OptionMap;
import org.xnio.StreamConnection;
import org.xnio.Xnio;
import org.xnio.ssl.SslConnection;

/** Puts TLS over accepted connections whose ClientHello was read. Thread-safe. */
public final class TlsAcceptor {
    private final ServerTls tls;
    private final TlsChallenges challenges;
    private final ByteBufferPool records;
    private final UndertowXnioSsl ordinary;

    /**
     * For an endpoint.
     *
     * @param clients its own rules for client certificates, which {@code ServerTls} must know already; empty for the
     *     server's
     * @param records buffers that hold a whole TLS record each
     */
    public TlsAcceptor(
            ServerTls tls, Optional<ClientCertificates> clients, TlsChallenges challenges, ByteBufferPool records) {
        this.tls = tls;
        this.challenges = challenges;
        this.records = records;
        this.ordinary = over(clients.map(tls::sslContext).orElseGet(tls::sslContext));
    }

    /** Whether a client sends a {@linkplain TlsChallenges#isChallenge challenge} whose answer is known. */
    public boolean hasAnswer(ClientHello hello) {
        return TlsChallenges.isChallenge(hello) && challenges.find(hello) != null;
    }

    private UndertowXnioSsl over(SSLContext context) {
        return new UndertowXnioSsl(Xnio.getInstance(), OptionMap.EMPTY, records, context);
    }

    /**
     * Puts TLS over a connection, with the certificate that fits the client, or the answer to its
     * {@linkplain TlsChallenges#isChallenge challenge}.
     *
     * @throws HelloRefused if there is none: then the connection is unchanged
     */
    public SslConnection wrap(StreamConnection connection, ClientHello hello) throws HelloRefused {
        if (TlsChallenges.isChallenge(hello)) {
            SSLContext answer = challenges.find(hello);
            if (answer == null) {
                throw new HelloRefused(
                        HelloRefused.NO_APPLICATION_PROTOCOL, "it wants a challenge answered that isn't known");
            }
            return over(answer).wrapExistingConnection(connection, OptionMap.EMPTY, false);
        }
        HandshakeKeys keys = tls.choose(hello);
        SslConnection wrapped = ordinary.wrapExistingConnection(connection, OptionMap.EMPTY, false);
        ServerTls.expect(UndertowXnioSsl.getSslEngine(wrapped), keys);
        return wrapped;
    }
}
