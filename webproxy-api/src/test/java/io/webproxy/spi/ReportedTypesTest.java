package io.webproxy.spi;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.ProxyStatus;
import io.webproxy.observe.ExchangeRecord;
import io.webproxy.observe.RelayRecord;
import io.webproxy.observe.TunnelEvent;
import io.webproxy.observe.UpstreamEvent;
import io.webproxy.port.Endpoint;
import io.webproxy.tls.ClientHello;
import io.webproxy.tunnel.TunnelStatus;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the engine reports: users read it, and can't make it. */
class ReportedTypesTest {
    @ParameterizedTest
    @ValueSource(
            classes = {
                ExchangeRecord.class,
                ProxyStatus.class,
                ProxyStatus.Pool.class,
                ProxyStatus.Rule.class,
                UpstreamEvent.class,
                RelayRecord.class,
                TunnelEvent.class,
                TunnelStatus.class,
                TunnelStatus.Agent.class,
                TunnelStatus.Server.class,
                ClientHello.class,
                Endpoint.class
            })
    void usersCannotMakeWhatTheEngineReports(Class<?> type) {
        assertThat(type).isInterface();
        assertThat(type.getPermittedSubclasses()).singleElement().satisfies(only -> {
            assertThat(only).isRecord();
            assertThat(only.getPackageName()).isEqualTo("io.webproxy.spi");
        });
    }

    @Test
    void textsHaveTheNamesThatUsersKnow() {
        assertThat(new RuleData("rules", "ssh", 1, 2, 3, 4, List.of("10.0.0.11:22")))
                .hasToString(
                        "Rule[endpoint=rules, name=ssh, open=1, total=2, refused=3, failed=4, ejected=[10.0.0.11:22]]");
        assertThat(TunnelStatusData.NONE)
                .hasToString(
                        "TunnelStatus[fingerprint=, agents=[], clients=0, refused=0, refusedAgents=0, servers=[]]");
    }

    @Test
    void whatIsReportedDoesNotChange() {
        List<String> ejected = new ArrayList<>(List.of("10.0.0.11:22"));
        RuleData rule = new RuleData("rules", "ssh", 0, 0, 0, 0, ejected);
        ejected.clear();

        assertThat(rule.ejected()).hasSize(1);
        assertThat(rule).isEqualTo(new RuleData("rules", "ssh", 0, 0, 0, 0, rule.ejected()));
    }

    @Test
    void closedServerIsHealthyAndHasNothing() {
        assertThat(StatusData.CLOSED.isHealthy()).isTrue();
        assertThat(StatusData.CLOSED.endpoints()).isEmpty();
        assertThat(StatusData.CLOSED.upstreams()).isEmpty();
    }

    @Test
    void helloWithoutServerNameKeepsTheRest() {
        ClientHello hello = new ClientHelloData(
                Optional.of("example.com"),
                List.of("h2"),
                InetSocketAddress.createUnresolved("here", 443),
                Set.of("EC"));

        assertThat(hello.withoutServerName())
                .isEqualTo(new ClientHelloData(Optional.empty(), List.of("h2"), hello.localAddress(), Set.of("EC")));
        assertThat(hello.canUse("EC")).isTrue();
        assertThat(hello.canUse("RSA")).isFalse();
        assertThat(hello.canUse("RSASSA-PSS")).isFalse();
        assertThat(hello.canUse("EdDSA")).isTrue();
    }
}
