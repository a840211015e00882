package io.webproxy.route;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
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
        Route found = new RouteTable(routes).find(host, path);
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
                .containsExactly("route: example.com/x (expected: each host and path only once)");
    }

    @Test
    void everyDuplicateNameIsReported() {
        List<Route> routes = List.of(route("a", null, "/1"), route("a", null, "/2"), route("a", null, "/3"));

        assertThat(RouteTable.problems(routes)).hasSize(2).allMatch(p -> p.startsWith("route.name: a (expected: "));
        assertThat(RouteTable.problems(ROUTES)).isEmpty();
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
