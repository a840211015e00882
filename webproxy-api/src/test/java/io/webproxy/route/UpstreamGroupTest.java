package io.webproxy.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyConfigException;
import io.webproxy.ProxyServer;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class UpstreamGroupTest {
    private static final String A = "http://10.0.0.7:8000";
    private static final String B = "http://10.0.0.8:8000";

    private static UpstreamGroup full(String name) {
        return UpstreamGroup.of(A, B)
                .named(name)
                .balancing(Balancing.leastConnections())
                .healthCheck(HealthCheck.path("/health"))
                .outlierEjection(OutlierEjection.off())
                .pool(PoolLimits.defaults().withStreams(3));
    }

    @Test
    void keepsWhatItIsToldWhateverElseChanges() {
        UpstreamGroup group = full("llm");

        assertThat(group.name()).contains("llm");
        assertThat(group.upstreams()).containsExactly(Upstream.of(A), Upstream.of(B));
        assertThat(group.balancing()).isEqualTo(Balancing.leastConnections());
        assertThat(group.healthCheck()).contains(HealthCheck.path("/health"));
        assertThat(group.outlierEjection()).contains(OutlierEjection.off());
        assertThat(group.pool()).contains(PoolLimits.defaults().withStreams(3));
        assertThat(group).hasToString("llm[http://10.0.0.7:8000, http://10.0.0.8:8000]");
    }

    @Test
    void hasDefaultsOrTheServersSettings() {
        UpstreamGroup group = UpstreamGroup.of(Upstream.of(A));

        assertThat(group.name()).isEmpty();
        assertThat(group.balancing()).isEqualTo(Balancing.roundRobin());
        assertThat(group.healthCheck()).isEmpty();
        assertThat(group.outlierEjection()).isEmpty();
        assertThat(group.pool()).isEmpty();
        assertThat(group).hasToString("[http://10.0.0.7:8000]");
    }

    @Test
    void slowStartHasARange() {
        assertThat(UpstreamGroup.of(A).slowStart()).isZero();
        assertThat(full("llm")
                        .slowStart(Duration.ofHours(1))
                        .named("x")
                        .balancing(Balancing.leastTime())
                        .slowStart())
                .isEqualTo(Duration.ofHours(1));
        for (Duration bad : List.of(Duration.ofMillis(999), Duration.ofMillis(3_600_001), Duration.ofSeconds(-1))) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> UpstreamGroup.of(A).slowStart(bad))
                    .withMessage("slowStart: " + bad + " (expected: 1 s to 1 h, or 0 for none)");
        }
        assertThatNullPointerException()
                .isThrownBy(() -> UpstreamGroup.of(A).slowStart(null))
                .withMessage("slowStart");
    }

    @Test
    void groupsOfANameAreEqualInAllSettingsOnly() {
        List<UnaryOperator<UpstreamGroup>> changes = List.of(
                group -> group.named("other"),
                group -> group.balancing(Balancing.failover()),
                group -> group.healthCheck(HealthCheck.path("/other")),
                group -> group.outlierEjection(OutlierEjection.defaults()),
                group -> group.pool(PoolLimits.defaults()),
                group -> group.slowStart(Duration.ofSeconds(1)));

        assertThat(full("llm")).isEqualTo(full("llm")).hasSameHashCodeAs(full("llm"));
        assertThat(changes)
                .allSatisfy(change -> assertThat(change.apply(full("llm"))).isNotEqualTo(full("llm")));
        assertThat(UpstreamGroup.of(A).named("a"))
                .isNotEqualTo(UpstreamGroup.of(B).named("a"));
    }

    @Test
    void groupsWithoutANameAreEqualToThemselvesOnly() {
        UpstreamGroup group = UpstreamGroup.of(A);

        assertThat(group).isEqualTo(group).isNotEqualTo(UpstreamGroup.of(A));
    }

    @SuppressWarnings("UnnecessaryLambda")
    static Stream<Supplier<Balancing>> balancings() {
        return Stream.of(
                Balancing::roundRobin,
                Balancing::leastConnections,
                Balancing::powerOfTwoChoices,
                Balancing::failover,
                Balancing::clientAddressHash,
                () -> Balancing.header("X-Session"),
                () -> Balancing.header("X-Other"),
                () -> Balancing.cookie("X-Session"),
                () -> Balancing.cookie("x-session"));
    }

    @ParameterizedTest
    @MethodSource("balancings")
    void balancingsAreEqualByKind(Supplier<Balancing> kind) {
        assertThat(kind.get()).isEqualTo(kind.get()).hasSameHashCodeAs(kind.get());
        assertThat(balancings().map(Supplier::get).filter(kind.get()::equals)).hasSize(1);
        assertThat(kind.get().toString()).doesNotContain("@");
    }

    @Test
    void routeHasTheGroupItForwardsToOrOneOfItsOwn() {
        UpstreamGroup group = full("llm");
        Route shared = Route.builder().forward(group).build();
        Route own = Route.builder().forward(A).forward(Upstream.of(B)).build();

        assertThat(shared.upstreamGroup()).containsSame(group);
        assertThat(shared.upstreams()).isEqualTo(group.upstreams());
        assertThat(own.upstreamGroup()).hasValueSatisfying(inline -> {
            assertThat(inline.name()).isEmpty();
            assertThat(inline.upstreams()).containsExactly(Upstream.of(A), Upstream.of(B));
            assertThat(inline.balancing()).isEqualTo(Balancing.roundRobin());
        });
        assertThat(Route.builder().redirectTo("https://a").build().upstreamGroup())
                .isEmpty();
    }

    @Test
    void changedRouteKeepsItsGroupAsLongAsItsUpstreamsStay() {
        UpstreamGroup group = full("llm");
        Route own = Route.builder().forward(A, B).build();

        assertThat(Route.builder().forward(group).build().toBuilder()
                        .path("/a")
                        .build()
                        .upstreamGroup())
                .containsSame(group);
        assertThat(own.toBuilder().path("/a").build().upstreamGroup()).isEqualTo(own.upstreamGroup());
        assertThat(own.toBuilder().forward("http://c").build().upstreams()).hasSize(3);
        assertThat(own.toBuilder().clearTarget().forward(group).build().upstreamGroup())
                .containsSame(group);
        assertThat(Route.builder().forward(group).build().toBuilder()
                        .clearTarget()
                        .forward(A)
                        .build()
                        .upstreams())
                .containsExactly(Upstream.of(A));
    }

    private static List<String> problems(UnaryOperator<ProxyConfig.Builder> routes) {
        try {
            routes.apply(ProxyServer.builder().http(0)).build();
            return List.of();
        } catch (ProxyConfigException e) {
            return e.problems();
        }
    }

    @Test
    void groupOfANameIsTheSameWhereverItIsUsed() {
        assertThat(problems(b -> b.forward(full("llm"))
                        .route(r -> r.path("/a").forward(full("llm")))
                        .route(r -> r.path("/b").forward(full("llm").balancing(Balancing.failover())))
                        .route(r -> r.path("/c").forward(full("llm").healthCheck(HealthCheck.path("/"))))
                        .route(r -> r.path("/d").forward(full("llm").pool(PoolLimits.defaults())))))
                .containsExactly(
                        "upstreamGroup.name: llm (expected: the same settings wherever a group of this name is used)");
    }

    @Test
    void upstreamOfTwoGroupsHasOnePool() {
        UpstreamGroup one = UpstreamGroup.of(A, B).pool(PoolLimits.defaults().withConnections(7));

        assertThat(problems(b -> b.forward(one).route(r -> r.path("/a").forward(B))))
                .containsExactly("upstreamGroup.pool: other limits for http://10.0.0.8:8000 in route /a than in route /"
                        + " (expected: the same in all groups of an upstream)");
        assertThat(problems(b -> b.tuning(t -> t.withPool(PoolLimits.defaults().withConnections(7)))
                        .forward(one)
                        .route(r -> r.path("/a").forward(B))))
                .as("the server's are the same")
                .isEmpty();
        assertThat(problems(b -> b.forward(one)
                        .route(r -> r.path("/a")
                                .forward(UpstreamGroup.of(A)
                                        .named("a")
                                        .pool(PoolLimits.defaults().withConnections(7))))))
                .isEmpty();
    }

    @Test
    void upstreamOfTwoGroupsIsEjectedByOneRuleOfFailedConnects() {
        UpstreamGroup twice = UpstreamGroup.of(A)
                .named("two")
                .outlierEjection(OutlierEjection.defaults().withConnectFailures(2));
        String problem = "upstreamGroup.outlierEjection.connectFailures: other limits for http://10.0.0.7:8000 in route"
                + " /a than in group two (expected: the same in all groups of an upstream)";

        assertThat(problems(b -> b.forward(twice).route(r -> r.path("/a").forward(A))))
                .containsExactly(problem);
        assertThat(problems(b -> b.forward(twice)
                        .route(r -> r.path("/a")
                                .forward(UpstreamGroup.of(A)
                                        .outlierEjection(OutlierEjection.defaults()
                                                .withConnectFailures(2)
                                                .withTime(Duration.ofSeconds(1)))))))
                .containsExactly(problem);
        assertThat(problems(b -> b.tuning(t ->
                                t.withOutlierEjection(OutlierEjection.defaults().withConnectFailures(2)))
                        .forward(twice)
                        .route(r -> r.path("/a").forward(A))))
                .isEmpty();
    }

    @Test
    void sharesOfFailuresMayDifferForAnUpstream() {
        assertThat(problems(b -> b.forward(A)
                        .route(r -> r.path("/a")
                                .forward(UpstreamGroup.of(A)
                                        .outlierEjection(OutlierEjection.defaults()
                                                .withFailureShare(0.1)
                                                .withLeastRequests(3)
                                                .withWindow(Duration.ofSeconds(1)))))))
                .isEmpty();
        assertThat(problems(b -> b.tuning(t -> t.withOutlierEjection(OutlierEjection.off()))
                        .forward(A)
                        .route(r -> r.path("/a")
                                .forward(UpstreamGroup.of(A)
                                        .outlierEjection(OutlierEjection.off()
                                                .withFailureShare(0.1)
                                                .withTime(Duration.ofSeconds(1)))))))
                .isEmpty();
    }

    @Test
    @SuppressWarnings("NullAway")
    void nullIsNamed() {
        UpstreamGroup group = UpstreamGroup.of(A);
        assertThatNullPointerException()
                .isThrownBy(() -> UpstreamGroup.of((String[]) null))
                .withMessage("uris");
        assertThatNullPointerException()
                .isThrownBy(() -> UpstreamGroup.of((Upstream) null))
                .withMessage("upstream");
        assertThatNullPointerException().isThrownBy(() -> group.named(null)).withMessage("name");
        assertThatNullPointerException().isThrownBy(() -> group.balancing(null)).withMessage("balancing");
        assertThatNullPointerException()
                .isThrownBy(() -> group.healthCheck(null))
                .withMessage("healthCheck");
        assertThatNullPointerException()
                .isThrownBy(() -> group.outlierEjection(null))
                .withMessage("outlierEjection");
        assertThatNullPointerException().isThrownBy(() -> group.pool(null)).withMessage("pool");
        assertThatNullPointerException()
                .isThrownBy(() -> Route.builder().forward((UpstreamGroup) null))
                .withMessage("upstreamGroup");
    }
}
