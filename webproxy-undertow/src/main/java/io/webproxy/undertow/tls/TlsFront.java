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

/** Puts TLS over accepted connections whose hello is known. Thread-safe. */
public final class TlsFront {
    private final ServerTls tls;
    private final TlsChallenges challenges;
    private final ByteBufferPool records;
    private final UndertowXnioSsl ordinary;

    /**
     * That of an endpoint.
     *
     * @param clients whether its clients are asked for a certificate; empty if that is as for all, else the
     *     certificates of the server were told before
     * @param records buffers that hold a whole TLS record each
     */
    public TlsFront(
            ServerTls tls, Optional<ClientCertificates> clients, TlsChallenges challenges, ByteBufferPool records) {
        this.tls = tls;
        this.challenges = challenges;
        this.records = records;
        this.ordinary = over(clients.map(tls::sslContext).orElseGet(tls::sslContext));
    }

    /** Whether a client wants a {@linkplain TlsChallenges#isChallenge challenge} answered, and the answer is known. */
    public boolean hasAnswer(ClientHello hello) {
        return TlsChallenges.isChallenge(hello) && challenges.find(hello) != null;
    }

    private UndertowXnioSsl over(SSLContext context) {
        return new UndertowXnioSsl(Xnio.getInstance(), OptionMap.EMPTY, records, context);
    }

    /**
     * For a client, with the certificate that fits it; or with the answer to its {@linkplain TlsChallenges#isChallenge
     * challenge}.
     *
     * @throws HelloRefused if there is none: then the connection is as it was
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
