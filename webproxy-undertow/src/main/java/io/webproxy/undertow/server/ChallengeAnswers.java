package io.webproxy.undertow.server;

import io.webproxy.spi.ChallengeResponder;
import io.webproxy.tls.KeyMaterial;
import io.webproxy.undertow.deadline.CloseSteps;
import io.webproxy.undertow.pipeline.HttpChallenges;
import io.webproxy.undertow.tls.ServerTls;
import io.webproxy.undertow.tls.TlsChallenges;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.IntSupplier;

/** Answers the ACME challenges of one provider; closing it removes the answers. Thread-safe. */
final class ChallengeAnswers implements ChallengeResponder, AutoCloseable {
    /**
     * The parts of a server that answer challenges, shared by all providers.
     *
     * @param http by path
     * @param tls by ALPN
     * @param httpPort of the first cleartext endpoint, 0 if there is none
     * @param httpsPort of the first endpoint that speaks TLS, for more than the status page
     * @param reachable waits, for a bounded time, until a CA can reach a name to which only a tunnel leads
     */
    record Ports(
            HttpChallenges http,
            TlsChallenges tls,
            IntSupplier httpPort,
            IntSupplier httpsPort,
            Consumer<String> reachable) {}

    private final Ports ports;
    private final ServerTls tls;
    private final Set<Answer> given = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    ChallengeAnswers(Ports ports, ServerTls tls) {
        this.ports = ports;
        this.tls = tls;
    }

    @Override
    public int httpPort() {
        return ports.httpPort().getAsInt();
    }

    @Override
    public int httpsPort() {
        return ports.httpsPort().getAsInt();
    }

    @Override
    public Answer http(String token, String keyAuthorization) {
        return given(ports.http().add(token, keyAuthorization));
    }

    @Override
    public Answer tlsAlpn(String name, KeyMaterial certificate) {
        Answer answer = given(ports.tls().add(tls, name, certificate));
        // CAs limit failed validations
        ports.reachable().accept(name);
        return answer;
    }

    private Answer given(Runnable end) {
        Answer answer = new Answer() {
            @Override
            public void close() {
                end.run();
                given.remove(this);
            }
        };
        given.add(answer);
        if (closed) {
            answer.close();
        }
        return answer;
    }

    @Override
    public void close() {
        closed = true;
        new CloseSteps().each("challenges", given, Answer::close).report();
    }
}
