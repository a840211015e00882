package io.webproxy.undertow.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyServer;
import io.webproxy.spi.TlsProvider;
import io.webproxy.testing.HeldProvider;
import io.webproxy.testing.LeakCheck;
import io.webproxy.tls.Certificates;
import io.webproxy.tls.ClientCertificates;
import io.webproxy.undertow.observe.Recorder;
import io.webproxy.undertow.pipeline.HttpChallenges;
import io.webproxy.undertow.tls.ServerTls;
import io.webproxy.undertow.tls.TlsChallenges;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LeakCheck.class)
class CertificateProvidersTest {
    private static CertificateProviders providers() {
        ServerTls tls = ServerTls.create(
                List.of(Certificates.selfSigned("localhost")), ClientCertificates.off(), Set.of(), TlsProvider.JDK);
        ChallengeAnswers.Ports ports =
                new ChallengeAnswers.Ports(new HttpChallenges(), new TlsChallenges(), () -> 0, () -> 0, name -> {});
        return new CertificateProviders(provider ->
                new RunningProvider(provider, new ChallengeAnswers(ports, tls), new Recorder(List.of(), null)));
    }

    private static ProxyConfig config(HeldProvider... wanted) {
        return ProxyServer.builder()
                .https(0)
                .certificates(wanted)
                .forward("http://127.0.0.1:1")
                .build();
    }

    @Test
    void oneThatIsNotWantedAnyMoreRunsOnUntilAllIsCommitted() {
        CertificateProviders providers = providers();
        HeldProvider stays = new HeldProvider();
        HeldProvider goes = new HeldProvider();
        HeldProvider comes = new HeldProvider();
        Change first = providers.prepare(config(stays, goes));
        first.commit();
        first.finish();
        providers.prepare(config(stays, comes)).rollBack();
        assertThat(comes.starts).hasValue(1);
        assertThat(comes.stops).hasValue(1);
        Change second = providers.prepare(config(stays, comes));
        second.commit();
        assertThat(goes.stops).hasValue(0);
        second.finish();
        assertThat(goes.stops).hasValue(1);
        providers.close();
        assertThat(stays.starts).hasValue(1);
        assertThat(stays.stops).hasValue(1);
        assertThat(goes.stops).hasValue(1);
        assertThat(comes.stops).hasValue(2);
    }

    @Test
    void pollThatIsClosedStartsNoMore() throws Exception {
        CountDownLatch looks = new CountDownLatch(2);
        FilePoll poll = new FilePoll(looks::countDown);
        poll.every(Duration.ofMillis(1));
        assertThat(looks.await(30, TimeUnit.SECONDS)).isTrue();
        poll.close();
        // a thread that stays is a leak
        poll.every(Duration.ofMillis(1));
    }
}
