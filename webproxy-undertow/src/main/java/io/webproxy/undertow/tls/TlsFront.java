package io.webproxy.undertow.tls;

import io.undertow.connector.ByteBufferPool;
import io.undertow.protocols.ssl.UndertowXnioSsl;
import io.webproxy.tls.ClientHello;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import org.xnio.OptionMap;
import org.xnio.StreamConnection;
import org.xnio.Xnio;
import org.xnio.ssl.SslConnection;

/** Puts TLS over accepted connections whose hello is known. Thread-safe. */
public final class TlsFront {
    private final TlsChallenges challenges;
    private final ByteBufferPool records;
    private final UndertowXnioSsl ordinary;

    /** With buffers that hold a whole TLS record each. */
    public TlsFront(ServerTls tls, TlsChallenges challenges, ByteBufferPool records) {
        this.challenges = challenges;
        this.records = records;
        this.ordinary = over(tls.sslContext());
    }

    private UndertowXnioSsl over(SSLContext context) {
        return new UndertowXnioSsl(Xnio.getInstance(), OptionMap.EMPTY, records, context);
    }

    /** For a client that wants to speak a protocol, with the certificate that fits. */
    public SslConnection wrap(StreamConnection connection, ClientHello hello) {
        SslConnection wrapped = ordinary.wrapExistingConnection(connection, OptionMap.EMPTY, false);
        ServerTls.expect(UndertowXnioSsl.getSslEngine(wrapped), hello);
        return wrapped;
    }

    /** For a client that wants a {@linkplain TlsChallenges#isChallenge challenge} answered; null if there is no answer. */
    public @Nullable SslConnection wrapChallenge(StreamConnection connection, ClientHello hello) {
        SSLContext answer = challenges.find(hello);
        return answer == null ? null : over(answer).wrapExistingConnection(connection, OptionMap.EMPTY, false);
    }
}
