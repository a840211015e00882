package io.webproxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.http.Http2Limits;
import io.webproxy.http.HttpLimits;
import io.webproxy.route.OutlierEjection;
import io.webproxy.route.PoolLimits;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class TuningTest {
    private static final List<UnaryOperator<Tuning>> CHANGES = List.of(
            t -> t.withHttp(HttpLimits.defaults().withFields(10)),
            t -> t.withHttp2(Http2Limits.defaults().withStreams(7)),
            t -> t.withPool(PoolLimits.defaults().withConnections(1)),
            t -> t.withOutlierEjection(OutlierEjection.off()),
            t -> t.withConnections(9),
            t -> t.withConnectionsPerAddress(8),
            t -> t.withConnectionsExempt("10.0.0.0/8"),
            t -> t.withIoThreads(3),
            t -> t.withBufferSize(8192),
            t -> t.withBacklog(5));

    @Test
    void eachChangeLeavesTheOthersAsTheyWere() {
        Tuning all = Tuning.defaults();
        for (UnaryOperator<Tuning> change : CHANGES) {
            Tuning one = change.apply(Tuning.defaults());
            assertThat(one).isNotEqualTo(Tuning.defaults()).isEqualTo(change.apply(one));
            assertThat(one).hasSameHashCodeAs(change.apply(Tuning.defaults()));
            assertThat(one.toString()).isNotEqualTo(Tuning.defaults().toString());
            all = change.apply(all);
        }

        assertThat(all.http().fields()).isEqualTo(10);
        assertThat(all.http2().streams()).isEqualTo(7);
        assertThat(all.pool().connections()).isEqualTo(1);
        assertThat(all.outlierEjection()).isEqualTo(OutlierEjection.off());
        assertThat(all.connections().total()).isEqualTo(9);
        assertThat(all.connections().perAddress()).isEqualTo(8);
        assertThat(all.connections().exempt()).hasSize(1);
        assertThat(all.ioThreads()).isEqualTo(3);
        assertThat(all.bufferSize()).isEqualTo(8192);
        assertThat(all.backlog()).isEqualTo(5);
    }

    @Test
    void zeroIsWhatFitsTheMachine() {
        Tuning set = Tuning.defaults().withIoThreads(3).withBufferSize(8192).withBacklog(5);

        assertThat(set.withIoThreads(0).withBufferSize(0).withBacklog(0)).isEqualTo(Tuning.defaults());
    }

    @Test
    void builderChangesWhatItHas() {
        Tuning tuning = ProxyServer.builder()
                .http(0)
                .forward("http://127.0.0.1:8080")
                .tuning(Tuning.defaults().withIoThreads(3))
                .tuning(t -> t.withBacklog(5))
                .build()
                .tuning();

        assertThat(tuning).isEqualTo(Tuning.defaults().withIoThreads(3).withBacklog(5));
    }
}
