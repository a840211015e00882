package io.webproxy.spi;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.http.RequestHead;
import io.webproxy.route.FakeRequest;
import io.webproxy.route.Route;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RouteTableTest {
    private static final List<Route> ROUTES = List.of(
            route("any", null, "/"),
            route("any-api", null, "/api"),
            route("any-deep", null, "/api/v1/models"),
            route("any-slash", null, "/files/"),
            route("wildcard", "*.example.com", "/"),
            route("wildcard-api", "*.example.com", "/api"),
            route("deeper-wildcard", "*.chat.example.com", "/"),
            route("exact", "chat.example.com", "/"),
            route("exact-api", "chat.example.com", "/api/"));

    private static Route route(String name, String host, String path) {
        Route.Builder builder = Route.builder().name(name).path(path).forward("http://127.0.0.1:1");
        return (host == null ? builder : builder.host(host)).build();
    }

    private static String find(List<Route> routes, String host, String path) {
        return find(routes, host, path, FakeRequest.GET);
    }

    private static String find(List<Route> routes, String host, String path, RequestHead request) {
        Route found = new RouteTable(routes).find(host, path, request);
        return found == null ? null : found.name();
    }

    @ParameterizedTest
    @CsvSource({
        "chat.example.com, /, exact",
        "chat.example.com, /api, exact",
        "chat.example.com, /api/, exact-api",
        "chat.example.com, /api/v1/models, exact-api",
        "www.example.com, /, wildcard",
        "www.example.com, /api/v1/models, wildcard-api",
        "www.example.com, /apix, wildcard",
        "a.chat.example.com, /x, deeper-wildcard",
        "a.b.example.com, /, any",
        "example.com, /, any",
        "other.test, /api, any-api",
        "other.test, /apix, any",
        "other.test, /api/v1/models/7, any-deep",
        "other.test, /api/v1/modelsx, any-api",
        "other.test, /files, any",
        "other.test, /files/, any-slash",
        "'', /, any",
        "[::1], /, any"
    })
    void exactHostBeforeWildcardBeforeAnyThenTheLongestPrefix(String host, String path, String name) {
        assertThat(find(ROUTES, host, path)).isEqualTo(name);
    }

    @Test
    void hostIsKnownWhateverThePathOfItsRoutes() {
        RouteTable named = new RouteTable(
                List.of(route("exact", "chat.example.com", "/only"), route("wildcard", "*.example.org", "/only")));
        for (String host : List.of("chat.example.com", "a.example.org")) {
            assertThat(named.hasHost(host)).as(host).isTrue();
        }
        for (String host : List.of("", "example.com", "example.org", "a.b.example.org", "other.test", "[::1]")) {
            assertThat(named.hasHost(host)).as(host).isFalse();
            assertThat(new RouteTable(ROUTES).hasHost(host)).as(host).isTrue();
        }
    }

    @Test
    void orderOfConfigurationDoesNotMatter() {
        List<Route> shuffled = new ArrayList<>(ROUTES);
        Random random = new Random(1);
        for (int i = 0; i < 50; i++) {
            Collections.shuffle(shuffled, random);
            assertThat(find(shuffled, "chat.example.com", "/api/v1/models")).isEqualTo("exact-api");
            assertThat(find(shuffled, "www.example.com", "/api/x")).isEqualTo("wildcard-api");
            assertThat(find(shuffled, "other.test", "/api/v1/models/7")).isEqualTo("any-deep");
        }
    }

    @Test
    void exactHostWithoutAMatchingPathFallsThroughToLessSpecificHosts() {
        List<Route> routes = List.of(route("exact", "a.example.com", "/only"), route("wildcard", "*.example.com", "/"));

        assertThat(find(routes, "a.example.com", "/only/x")).isEqualTo("exact");
        assertThat(find(routes, "a.example.com", "/onlyx")).isEqualTo("wildcard");
        assertThat(find(routes, "b.test", "/only")).isNull();
    }

    @Test
    void nothingIsFoundInAnEmptyTableNorForTheAsteriskForm() {
        assertThat(find(List.of(), "a", "/")).isNull();
        assertThat(find(ROUTES, "a", "*")).isNull();
    }

    @Test
    void tableIsACopyOfItsRoutes() {
        List<Route> routes = new ArrayList<>(ROUTES);
        RouteTable table = new RouteTable(routes);
        routes.clear();

        assertThat(table.routes()).hasSameSizeAs(ROUTES).isUnmodifiable();
        assertThat(table.routes().get(0).name()).isEqualTo("exact-api");
    }

    @Test
    void sameHostAndPathInOtherSpellingIsFoundAsAProblem() {
        List<Route> routes =
                List.of(route("a", "Example.com", "/x"), route("b", "example.COM.", "/x"), route("c", null, "/x"));

        assertThat(RouteTable.problems(routes))
                .containsExactly("route: example.com/x is given twice (expected: each host and path only once; several"
                        + " upstreams in one forward(a, b), or a group)");
    }

    @Test
    void everyDuplicateNameIsReported() {
        List<Route> routes = List.of(route("a", null, "/1"), route("a", null, "/2"), route("a", null, "/3"));

        assertThat(RouteTable.problems(routes)).hasSize(2).allMatch(p -> p.startsWith("route.name: a (expected: "));
        assertThat(RouteTable.problems(ROUTES)).isEmpty();
    }

    private static Route conditional(String name, Consumer<Route.Builder> conditions) {
        Route.Builder builder = Route.builder().path("/x").forward("http://127.0.0.1:1");
        if (!name.isEmpty()) {
            builder.name(name);
        }
        conditions.accept(builder);
        return builder.build();
    }

    @ParameterizedTest
    @CsvSource({
        "GET, '', get",
        "HEAD, '', get",
        "get, '', all",
        "POST, '', all",
        "POST, 'X-Version: 2', second",
        "POST, 'x-version: 2', second",
        "POST, 'X-Version: 1', all",
        "GET, 'X-Version: 2', get",
        "POST, 'X-Debug:', debug",
        "POST, 'X-Debug: no', debug"
    })
    void methodsAndFieldsAreLookedAtInOrder(String method, String field, String name) {
        List<Route> routes = List.of(
                conditional("get", b -> b.matchMethod("GET", "HEAD")),
                conditional("second", b -> b.matchHeader("X-Version", "2")),
                conditional("debug", b -> b.matchHeader("X-Debug")),
                conditional("all", b -> {}));
        FakeRequest request = field.isEmpty() ? new FakeRequest(method) : new FakeRequest(method, field);

        assertThat(find(routes, "a", "/x/y", request)).isEqualTo(name);
        assertThat(RouteTable.problems(routes)).isEmpty();
    }

    @Test
    void fieldMatchesWithAnyOfItsValuesAndAllFieldsAreNeeded() {
        List<Route> routes =
                List.of(conditional("both", b -> b.matchHeader("X-A", "2").matchHeader("X-B")));

        assertThat(find(routes, "a", "/x", new FakeRequest("GET", "X-A: 1", "X-A: 2", "X-B: z")))
                .isEqualTo("both");
        assertThat(find(routes, "a", "/x", new FakeRequest("GET", "X-A: 1", "X-B: z")))
                .isNull();
        assertThat(find(routes, "a", "/x", new FakeRequest("GET", "X-A: 2"))).isNull();
        assertThat(find(routes, "a", "/x", new FakeRequest("GET", "X-A: 2, 3", "X-B: z")))
                .isNull();
    }

    @Test
    void routeThatDoesNotAcceptIsPassedOverForAShorterPrefixThenForALessSpecificHost() {
        List<Route> routes = new ArrayList<>(List.of(
                conditional("exact-x", b -> b.host("a.test").matchMethod("PUT")),
                conditional("exact-slash", b -> b.host("a.test").path("/x/").matchMethod("DELETE")),
                conditional("exact", b -> b.host("a.test").path("/").matchMethod("POST")),
                conditional("wildcard", b -> b.host("*.test").matchMethod("GET")),
                conditional("any", b -> {})));

        assertThat(find(routes, "a.test", "/x/y", new FakeRequest("DELETE"))).isEqualTo("exact-slash");
        assertThat(find(routes, "a.test", "/x/y", new FakeRequest("PUT"))).isEqualTo("exact-x");
        assertThat(find(routes, "a.test", "/x/y", new FakeRequest("POST"))).isEqualTo("exact");
        assertThat(find(routes, "a.test", "/x/y", new FakeRequest("GET"))).isEqualTo("wildcard");
        assertThat(find(routes, "a.test", "/x/y", new FakeRequest("PATCH"))).isEqualTo("any");
        assertThat(find(routes, "a.test", "/", new FakeRequest("PATCH"))).isNull();
    }

    @ParameterizedTest
    @CsvSource({
        "a.test, /x, true, strip",
        "a.test, /x/, false, strip",
        "a.test, /x/y, false, strip",
        "a.test, /xy, false, root",
        "a.test, /kept, false, root",
        "a.test, /own, false, own",
        "a.test, /own/, false, own-strip",
        "a.test, /own/y, false, own-strip",
        "a.test, /methods, true, methods-strip",
        "b.test, /x, false, any-x"
    })
    void prefixThatIsTakenOffIsFoundWithoutItsSlashUnlessAnotherRouteIsForThatPath(
            String host, String path, boolean redirected, String name) {
        List<Route> routes = List.of(
                conditional("strip", b -> b.host("a.test").path("/x/").stripPrefix()),
                conditional("kept-slash", b -> b.host("a.test").path("/kept/")),
                conditional("own", b -> b.host("a.test").path("/own")),
                conditional("own-strip", b -> b.host("a.test").path("/own/").stripPrefix()),
                conditional("methods", b -> b.host("a.test").path("/methods").matchMethod("POST")),
                conditional(
                        "methods-strip", b -> b.host("a.test").path("/methods/").replacePrefix("/y")),
                conditional("root", b -> b.host("a.test").path("/")),
                conditional("any-x", b -> {}));
        Route found = new RouteTable(routes).find(host, path, FakeRequest.GET);

        assertThat(found).isNotNull();
        assertThat(found.name()).isEqualTo(name);
        assertThat(found.path().matches(path)).isNotEqualTo(redirected);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "GET           | GET           | route: /x with GET (expected: each host and path with the same"
                        + " methods and fields only once)",
                "GET,PUT       | PUT,GET       | route: /x with GET,PUT (expected: each host and path with the same"
                        + " methods and fields only once)",
                "X-A=1         | x-a=1         | route: /x with x-a (expected: each host and path with the same"
                        + " methods and fields only once)",
                "''            | GET           | route: /x with GET is never reached after r0 (expected: the route"
                        + " with more conditions first)",
                "GET           | GET,X-A=1     | route: /x with GET x-a is never reached after r0 (expected: the route"
                        + " with more conditions first)",
                "X-A           | X-A=1         | route: /x with x-a is never reached after r0 (expected: the route"
                        + " with more conditions first)",
                "GET,PUT,X-A   | PUT,X-A=1,X-B | route: /x with PUT x-a x-b is never reached after r0 (expected: the"
                        + " route with more conditions first)",
                "GET;PUT       | GET,PUT       | route: /x with GET,PUT is never reached after r0 and r1 (expected:"
                        + " the route with more conditions first)",
            })
    void routeThatNoRequestCanReachIsAProblem(String before, String conditions, String problem) {
        List<Route> routes = new ArrayList<>();
        for (String one : before.split(";")) {
            routes.add(of("r" + routes.size(), one));
        }
        routes.add(of("", conditions));

        assertThat(RouteTable.problems(routes)).containsExactly(problem);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "GET       | ''",
                "GET       | PUT",
                "GET       | GET,PUT",
                "X-A=1     | X-B=1",
                "X-A,X-B=1 | X-A",
                "X-A,X-B   | X-A",
                "GET,X-A   | GET",
                "GET,X-A   | X-A",
                "GET;X-A   | PUT,X-B",
            })
    void conditionsThatLeaveSomethingAreFineAndHaveNamesOfTheirOwn(String before, String conditions) {
        List<Route> routes = new ArrayList<>();
        for (String one : before.split(";")) {
            routes.add(of("", one));
        }
        routes.add(of("", conditions));

        assertThat(RouteTable.problems(routes)).isEmpty();
    }

    /** A route for methods, and fields with a dash in their name, with a value or not. */
    private static Route of(String name, String conditions) {
        return conditional(name, b -> {
            for (String one : conditions.isEmpty() ? new String[0] : conditions.split(",")) {
                String[] pair = one.split("=");
                if (!one.contains("-")) {
                    b.matchMethod(one);
                } else if (pair.length == 1) {
                    b.matchHeader(one);
                } else {
                    b.matchHeader(pair[0], pair[1]);
                }
            }
        });
    }

    @Test
    void routeWithoutANameIsCalledByItsConditionsToo() {
        assertThat(of("", "PUT,GET,X-Version=2,X-Debug").name()).isEqualTo("/x GET,PUT x-debug x-version");
    }

    @Test
    void nameOfARouteNeverShowsTheValueOfAField() {
        Route route = of("", "X-Key=hunter2,X-Key=hunter3");

        assertThat(route.name()).isEqualTo("/x x-key");
        assertThat(route).asString().doesNotContain("hunter");
        assertThat(RouteTable.problems(List.of(of("a", "X-Key=hunter2"), of("b", "X-Key=hunter2"))))
                .asString()
                .contains("x-key")
                .doesNotContain("hunter");
    }

    @ParameterizedTest
    @CsvSource({"X-A=1, X-A=2", "X-A=1, X-A"})
    void routesThatDifferOnlyInValuesNeedNames(String one, String other) {
        assertThat(RouteTable.problems(List.of(of("", one), of("", other))))
                .containsExactly("route.name: /x x-a (expected: each name only once; routes that differ only in the"
                        + " values of fields need names)");
        assertThat(RouteTable.problems(List.of(of("one", one), of("other", other))))
                .isEmpty();
    }

    @Test
    void everyLookupAgreesWithTheDefinition() {
        for (int seed = 0; seed < 200; seed++) {
            RandomRoutes random = new RandomRoutes(seed);
            List<Route> routes = random.routes();
            RouteTable table = new RouteTable(routes);
            for (int i = 0; i < 200; i++) {
                String host = random.host();
                String path = random.path();
                FakeRequest request = random.request();
                assertThat(table.find(host, path, request))
                        .as("seed %d: %s %s of %s", seed, host, path, routes)
                        .isSameAs(RandomRoutes.defined(routes, host, path, request));
            }
        }
    }

    @Test
    void routeWithoutANameIsCalledByItsHostAndPath() {
        assertThat(Route.builder()
                        .host("*.Example.com")
                        .path("/a/")
                        .forward("http://h")
                        .build()
                        .name())
                .isEqualTo("*.example.com/a/");
    }
}
