package io.webproxy.undertow.tls;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.spi.TlsProvider;
import io.webproxy.testing.LeakCheck;
import io.webproxy.tls.Certificates;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import okhttp3.tls.HeldCertificate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Which hosts a server has a certificate for: what is served to clients that name no host doesn't count. */
@ExtendWith(LeakCheck.class)
class CertificateForHostTest {
    private static final InetSocketAddress REACHED = new InetSocketAddress("127.0.0.1", 443);

    @TempDir
    private Path directory;

    @Test
    void certificateThatIsForAnAddressIsNoneForTheHostsThatItCovers() throws Exception {
        HeldCertificate leaf = new HeldCertificate.Builder()
                .addSubjectAlternativeName("a.example")
                .addSubjectAlternativeName("127.0.0.1")
                .build();
        Path chain = directory.resolve("chain.pem");
        Path key = directory.resolve("key.pem");
        Files.writeString(chain, leaf.certificatePem());
        Files.writeString(key, leaf.privateKeyPkcs8Pem());
        Certificates source = Certificates.forNames(Certificates.pem(chain, key), "127.0.0.1");

        ServerTls tls = ServerTls.create(List.of(source), TlsProvider.JDK);

        assertThat(tls.hasCertificate("127.0.0.1", REACHED)).isTrue();
        assertThat(tls.hasCertificate("a.example", REACHED)).isFalse();
    }
}
