package io.webproxy.route;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.http.RequestHead;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BalancingsTest {
    private static final int REQUESTS = 10_000;

    /** A choice among upstreams of which each has so many requests in hand, for one client. */
    private record Given(List<Upstream> upstreams, int[] load, InetAddress client) implements Balancing.Choice {
        @Override
        public int count() {
            return upstreams.size();
        }

        @Override
        public Upstream upstream(int index) {
            return upstreams.get(index);
        }

        @Override
        public int inFlight(int index) {
            return load[index];
        }

        @Override
        public RequestHead request() {
            return (RequestHead) Proxy.newProxyInstance(
                    RequestHead.class.getClassLoader(), new Class<?>[] {RequestHead.class}, (self, method, ignored) -> {
                        assertThat(method.getName()).isEqualTo("clientAddress");
                        return client;
                    });
        }
    }

    private static List<Upstream> upstreams(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> Upstream.of("http://10.0.0." + (i + 1) + ":8080"))
                .toList();
    }

    private static InetAddress address(String literal) {
        try {
            return InetAddress.getByName(literal);
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }

    private static Given given(int... load) {
        return new Given(upstreams(load.length), load, address("192.0.2.1"));
    }

    /** How often each of so many is chosen, when nothing else is in hand. */
    private static int[] chosen(Balancing balancing, Balancing.Choice choice) {
        int[] times = new int[choice.count()];
        for (int i = 0; i < REQUESTS; i++) {
            times[balancing.choose(choice)]++;
        }
        return times;
    }

    @Test
    void eachInItsTurnIsExactlyFair() {
        assertThat(chosen(Balancing.roundRobin(), given(9, 0, 0, 0))).containsOnly(REQUESTS / 4);
    }

    @Test
    void leastConnectionsTakesTheLeastAndIsFairAmongEquals() {
        assertThat(chosen(Balancing.leastConnections(), given(3, 1, 2))).containsExactly(0, REQUESTS, 0);
        assertThat(chosen(Balancing.leastConnections(), given(5, 5, 5, 5))).containsOnly(REQUESTS / 4);
        assertThat(chosen(Balancing.leastConnections(), given(5, 2, 2))[0]).isZero();
        assertThat(Arrays.stream(chosen(Balancing.leastConnections(), given(0, 0)))
                        .max()
                        .orElseThrow())
                .isEqualTo(REQUESTS / 2);
    }

    @Test
    void lesserOfTwoNeverTakesTheWorstAndIsFairAmongEquals() {
        assertThat(chosen(Balancing.powerOfTwoChoices(), given(1, 0, 2))[2]).isZero();
        assertThat(chosen(Balancing.powerOfTwoChoices(), given(1, 0))).containsExactly(0, REQUESTS);
        for (int times : chosen(Balancing.powerOfTwoChoices(), given(7, 7, 7, 7))) {
            // six standard deviations
            assertThat(times).isBetween(2500 - 260, 2500 + 260);
        }
    }

    @Test
    void failoverIsTheFirst() {
        assertThat(chosen(Balancing.failover(), given(1000, 0))).containsExactly(REQUESTS, 0);
    }

    private static List<InetAddress> clients(String pattern) {
        List<InetAddress> clients = new ArrayList<>();
        for (int i = 0; i < REQUESTS; i++) {
            clients.add(address(pattern.formatted(i / 100, i % 100)));
        }
        return clients;
    }

    private static Upstream sticky(List<Upstream> upstreams, InetAddress client) {
        Given given = new Given(upstreams, new int[upstreams.size()], client);
        return upstreams.get(Balancing.clientAddressHash().choose(given));
    }

    @ParameterizedTest
    @ValueSource(strings = {"10.0.%d.%d", "%d.10.0.%d", "2001:db8:%d:%d::1"})
    void clientsAreSpreadEvenlyAndStay(String pattern) {
        List<Upstream> upstreams = upstreams(5);
        int[] times = new int[5];
        for (InetAddress client : clients(pattern)) {
            Upstream first = sticky(upstreams, client);
            times[upstreams.indexOf(first)]++;
            assertThat(sticky(upstreams, client)).isEqualTo(first);
        }
        for (int count : times) {
            // six standard deviations
            assertThat(count).isBetween(2000 - 240, 2000 + 240);
        }
    }

    @Test
    void onlyTheClientsOfAnUpstreamThatGoesMove() {
        List<Upstream> before = upstreams(4);
        List<Upstream> after = new ArrayList<>(before);
        Upstream gone = after.remove(1);
        int moved = 0;
        int[] inherited = new int[3];
        for (InetAddress client : clients("10.0.%d.%d")) {
            Upstream was = sticky(before, client);
            Upstream is = sticky(after, client);
            if (was.equals(gone)) {
                moved++;
                inherited[after.indexOf(is)]++;
            } else {
                assertThat(is).isEqualTo(was);
            }
        }
        assertThat(moved).isBetween(2500 - 260, 2500 + 260);
        for (int count : inherited) {
            // those that move are spread, too
            assertThat(count).isBetween(moved / 3 - 150, moved / 3 + 150);
        }
    }

    @Test
    void orderOfUpstreamsIsOfNoAccount() {
        List<Upstream> turned = new ArrayList<>(upstreams(4));
        java.util.Collections.reverse(turned);
        for (InetAddress client : clients("10.0.%d.%d").subList(0, 500)) {
            assertThat(sticky(turned, client)).isEqualTo(sticky(upstreams(4), client));
        }
    }

    @Test
    void networkOfOneCustomerIsOneClient() {
        List<Upstream> upstreams = upstreams(16);
        assertThat(IntStream.range(0, 100).mapToObj(i -> sticky(upstreams, address("2001:db8::" + i))))
                .containsOnly(sticky(upstreams, address("2001:db8::ffff")));
        assertThat(sticky(upstreams, address("::ffff:10.1.2.3"))).isEqualTo(sticky(upstreams, address("10.1.2.3")));
    }

    /** Names that have the same {@link String#hashCode()} must not stand behind one another. */
    @Test
    void upstreamsOfAlikeNamesShareTheClients() {
        List<Upstream> alike = List.of(Upstream.of("http://x0:80"), Upstream.of("http://vn:80"));
        assertThat("x0".hashCode()).isEqualTo("vn".hashCode());
        assertThat(clients("10.0.%d.%d").stream().map(client -> sticky(alike, client)))
                .contains(alike.get(0), alike.get(1));
    }
}
