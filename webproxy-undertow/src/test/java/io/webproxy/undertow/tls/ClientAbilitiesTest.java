package io.webproxy.undertow.tls;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Arrays;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import org.junit.jupiter.api.Test;

class ClientAbilitiesTest {
    private static byte[] hello(String version, String... suites) throws Exception {
        SSLEngine client = SSLContext.getDefault().createSSLEngine("a.example.com", 443);
        client.setUseClientMode(true);
        SSLParameters parameters = client.getSSLParameters();
        parameters.setProtocols(new String[] {version});
        parameters.setCipherSuites(suites);
        client.setSSLParameters(parameters);
        ByteBuffer record = ByteBuffer.allocate(1 << 15);
        client.wrap(ByteBuffer.allocate(0), record);
        return Arrays.copyOf(record.array(), record.position());
    }

    private static ClientAbilities parse(byte[] bytes) {
        return ClientAbilities.parse(ByteBuffer.wrap(bytes));
    }

    @Test
    void suitesSayWhatATls12ClientCanUse() throws Exception {
        assertThat(parse(hello("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")))
                .isEqualTo(new ClientAbilities(true, false));
        assertThat(parse(hello("TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384")))
                .isEqualTo(new ClientAbilities(false, true));
        assertThat(parse(hello("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256")))
                .isEqualTo(new ClientAbilities(false, false));
        assertThat(parse(hello("TLSv1.3", "TLS_AES_128_GCM_SHA256"))).isEqualTo(new ClientAbilities(true, true));
    }

    @Test
    void everyTruncationIsUnknownAndMovesNothing() throws Exception {
        byte[] whole = hello("TLSv1.3", "TLS_AES_128_GCM_SHA256");
        for (int length = 0; length < whole.length; length++) {
            assertThat(parse(Arrays.copyOf(whole, length))).isNull();
        }
        ByteBuffer untouched = ByteBuffer.wrap(whole);
        ClientAbilities.parse(untouched);
        assertThat(untouched.remaining()).isEqualTo(whole.length);
    }

    @Test
    void everyMutationIsSurvived() throws Exception {
        byte[] whole = hello("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
        for (int i = 0; i < whole.length; i++) {
            for (int value = 0; value < 256; value++) {
                byte[] mutant = whole.clone();
                mutant[i] = (byte) value;
                parse(mutant);
            }
        }
    }

    @Test
    void namesSayTheSame() {
        assertThat(ClientAbilities.of(new String[0])).isEqualTo(new ClientAbilities(true, true));
        assertThat(ClientAbilities.of(new String[] {"SHA256withECDSA"})).isEqualTo(new ClientAbilities(false, true));
        assertThat(ClientAbilities.of(new String[] {"RSASSA-PSS"})).isEqualTo(new ClientAbilities(true, false));
    }
}
