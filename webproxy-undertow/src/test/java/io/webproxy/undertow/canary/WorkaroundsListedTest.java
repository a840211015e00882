package io.webproxy.undertow.canary;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The table of workarounds in the module's README, the workarounds and their canaries name each other. */
class WorkaroundsListedTest {
    private static final List<Class<?>> CANARIES = List.of(
            ProxyHandlerDefectsTest.class,
            UndertowDefectsTest.class,
            SslConduitDefectsTest.class,
            XnioDefectsTest.class,
            ConscryptDefectsTest.class,
            JdkDefectsTest.class);

    private static final Pattern ROW = Pattern.compile("^\\|[^|]+\\|[^|]+\\|([^|]+)\\|$", Pattern.MULTILINE);
    private static final Pattern NAME = Pattern.compile("`(\\w+)`");
    private static final Pattern IN_SOURCE = Pattern.compile("\\b(\\w+DefectsTest\\.\\w+)");

    /** What has no class of its own to say so: nothing is done about it, or it is done in several places. */
    private static final Set<String> NAMED_IN_README_ONLY =
            Set.of("ConscryptDefectsTest.closeNotifyEndsBothDirections");

    @Test
    void readmeNamesEveryCanary() throws IOException {
        String readme = Files.readString(Path.of("README.md"));
        String section = readme.substring(
                readme.indexOf("## Workarounds that remain"), readme.indexOf("## Workarounds that are gone"));
        Set<String> named = ROW.matcher(section)
                .results()
                .flatMap(row -> NAME.matcher(row.group(1)).results())
                .map(name -> name.group(1))
                .collect(Collectors.toCollection(TreeSet::new));

        assertThat(named)
                .containsExactlyElementsOf(
                        canaries().map(Method::getName).collect(Collectors.toCollection(TreeSet::new)));
    }

    @Test
    void everyCanaryIsNamedWhereItsWorkaroundIs() throws IOException {
        Set<String> named = new TreeSet<>(NAMED_IN_README_ONLY);
        try (Stream<Path> sources = Files.walk(Path.of("src/main/java"))) {
            for (Path source :
                    sources.filter(file -> file.toString().endsWith(".java")).toList()) {
                IN_SOURCE
                        .matcher(Files.readString(source))
                        .results()
                        .map(MatchResult::group)
                        .forEach(named::add);
            }
        }

        assertThat(named)
                .containsExactlyElementsOf(canaries()
                        .map(test -> test.getDeclaringClass().getSimpleName() + "." + test.getName())
                        .collect(Collectors.toCollection(TreeSet::new)));
    }

    private static Stream<Method> canaries() {
        return CANARIES.stream()
                .flatMap(type -> Stream.of(type.getDeclaredMethods()))
                .filter(method -> method.isAnnotationPresent(Test.class));
    }
}
