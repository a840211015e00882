package io.webproxy.acme.testing;

import io.webproxy.spi.ChallengeResponder;
import io.webproxy.tls.KeyMaterial;

/** A server without a port that could answer. */
public final class NoResponder implements ChallengeResponder {
    @Override
    public int httpPort() {
        return 0;
    }

    @Override
    public int httpsPort() {
        return 0;
    }

    @Override
    public Answer http(String token, String keyAuthorization) {
        throw new AssertionError(token);
    }

    @Override
    public Answer tlsAlpn(String name, KeyMaterial certificate) {
        throw new AssertionError(name);
    }
}
