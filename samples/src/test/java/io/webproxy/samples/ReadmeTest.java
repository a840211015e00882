package io.webproxy.samples;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.ProxyConfig;
import io.webproxy.Tuning;
import io.webproxy.acme.AcmeCertificates;
import io.webproxy.http.Http2Limits;
import io.webproxy.http.HttpLimits;
import io.webproxy.observe.ForwardError;
import io.webproxy.observe.RelayEnd;
import io.webproxy.port.EndpointBuilder;
import io.webproxy.port.PortBuilder;
import io.webproxy.port.Relay;
import io.webproxy.route.OutlierEjection;
import io.webproxy.route.PoolLimits;
import io.webproxy.route.Route;
import io.webproxy.route.UpstreamGroup;
import io.webproxy.samples.cli.Cli;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

class ReadmeTest {
    private static final Pattern SNIPPET = Pattern.compile("// readme: \\w+\n(.*?)\n *// readme: end", Pattern.DOTALL);
    private static final Pattern JAVA_BLOCK = Pattern.compile("```java\n(.*?)\n```", Pattern.DOTALL);
    private static final Pattern LINK = Pattern.compile("]\\(([^)\\s]+)\\)");
    private static final Pattern HEADING = Pattern.compile("^#+ (.*)$", Pattern.MULTILINE);
    private static final Pattern ANCHOR = Pattern.compile("<a id=\"([^\"]+)\"");
    private static final Path SOURCES = Path.of("src/main/java/io/webproxy/samples");

    private final String readme = Files.readString(Path.of("../README.md"));
    private final String apiReadme = Files.readString(Path.of("../webproxy-api/README.md"));
    private final String acmeReadme = Files.readString(Path.of("../webproxy-acme/README.md"));
    private final String samplesReadme = Files.readString(Path.of("README.md"));

    ReadmeTest() throws IOException {}

    @Test
    void everySnippetIsCompiled() {
        List<String> compiled = Stream.of("ReadmeSnippets.java", "PortSnippets.java")
                .flatMap(source -> groups(SNIPPET, text(SOURCES.resolve(source))))
                .map(String::stripIndent)
                .toList();
        List<String> shown = Stream.of(readme, apiReadme, acmeReadme, samplesReadme)
                .flatMap(page -> groups(JAVA_BLOCK, page))
                .toList();

        assertThat(shown).isNotEmpty().containsExactlyInAnyOrderElementsOf(compiled);
    }

    @Test
    void readmeAtTheTopIsShort() {
        assertThat(readme.getBytes(StandardCharsets.UTF_8)).hasSizeLessThanOrEqualTo(10 * 1024);
    }

    @Test
    void everyLinkLeadsSomewhere() throws IOException {
        Path top = Path.of("..").toRealPath();
        for (Path page : List.of(
                top.resolve("README.md"),
                top.resolve("webproxy-api/README.md"),
                top.resolve("webproxy-acme/README.md"),
                top.resolve("webproxy-undertow/README.md"),
                top.resolve("samples/README.md"),
                top.resolve("SECURITY.md"),
                top.resolve("CONTRIBUTING.md"),
                top.resolve("CHANGELOG.md"))) {
            assertThat(groups(LINK, text(page)).filter(link -> !link.contains("://")))
                    .as("links of %s", top.relativize(page))
                    .allSatisfy(link -> {
                        int anchor = (link + "#").indexOf('#');
                        Path target = anchor == 0 ? page : page.resolveSibling(link.substring(0, anchor));
                        assertThat(target).exists();
                        if (anchor < link.length()) {
                            assertThat(anchors(text(target))).contains(link.substring(anchor + 1));
                        }
                    });
        }
    }

    /** As GitHub makes them of headings, and those that a page sets itself. */
    private static Set<String> anchors(String page) {
        return Stream.concat(
                        groups(HEADING, page)
                                .map(heading -> heading.toLowerCase(Locale.ROOT)
                                        .replaceAll("[^\\w\\- ]", "")
                                        .replace(' ', '-')),
                        groups(ANCHOR, page))
                .collect(Collectors.toSet());
    }

    @Test
    void everyKnobIsExplained() {
        Stream<String> builders = Stream.of(
                        ProxyConfig.Builder.class, Route.Builder.class, AcmeCertificates.Builder.class)
                .flatMap(builder -> Stream.of(builder.getMethods()))
                .filter(method -> method.getDeclaringClass() != Object.class)
                .map(Method::getName)
                .filter(name -> !Set.of("build", "start").contains(name));
        Stream<String> options = Stream.of(
                        HttpLimits.class,
                        Http2Limits.class,
                        PoolLimits.class,
                        OutlierEjection.class,
                        UpstreamGroup.class)
                .flatMap(limits -> Stream.of(limits.getMethods()))
                .filter(method -> method.getParameterCount() == 0
                        && method.getDeclaringClass() != Object.class
                        && !Modifier.isStatic(method.getModifiers()))
                .map(Method::getName)
                .filter(name -> !Set.of("hashCode", "toString").contains(name));
        Stream<String> tuning =
                Stream.of(Tuning.class.getMethods()).map(Method::getName).filter(name -> name.startsWith("with"));

        assertThat(Stream.of(builders, options, tuning).flatMap(names -> names))
                .allSatisfy(name -> assertThat(apiReadme + acmeReadme).containsPattern("`" + name + "[`(]"));
    }

    @Test
    void everyOptionOfTheCommandLineIsShown() {
        CommandLine cli = Cli.commandLine();
        assertThat(Stream.of("expose", "demo")
                        .flatMap(name -> cli.getSubcommands().get(name).getCommandSpec().options().stream())
                        .map(OptionSpec::longestName))
                .allSatisfy(option -> assertThat(samplesReadme).contains(option));
        assertThat(cli.getSubcommands().get("port").getCommandSpec().options().stream()
                        .map(OptionSpec::longestName))
                .allSatisfy(option -> assertThat(samplesReadme).contains(option));
    }

    @Test
    void everyKnobOfAPortIsExplained() {
        assertThat(Stream.of(PortBuilder.class, EndpointBuilder.class)
                        .flatMap(builder -> Stream.of(builder.getMethods()))
                        .filter(method -> method.getDeclaringClass() != Object.class)
                        .map(Method::getName)
                        .filter(name -> !Set.of("build", "endpoint").contains(name)))
                .allSatisfy(name -> assertThat(apiReadme).containsPattern("`" + name + "[`(]"));
        assertThat(Stream.of(Relay.class.getMethods()).map(Method::getName).filter(name -> name.startsWith("with")))
                .allSatisfy(name -> assertThat(apiReadme).contains("`" + name + "("));
        assertThat(RelayEnd.values()).allSatisfy(end -> assertThat(apiReadme).contains("`" + end + "`"));
    }

    @Test
    void everySampleIsInTheIndex() throws IOException {
        try (Stream<Path> sources = Files.list(SOURCES)) {
            assertThat(sources.filter(
                                    file -> contains(file, "public static void main") && !contains(file, "// readme: "))
                            .map(file -> file.getFileName().toString().replace(".java", ""))
                            .filter(name -> !name.equals("Main")))
                    .isNotEmpty()
                    .allSatisfy(name -> assertThat(samplesReadme).contains("| `" + name + "` |"));
        }
    }

    private static boolean contains(Path file, String text) {
        return Files.isRegularFile(file) && text(file).contains(text);
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void everyErrorIsExplained() {
        assertThat(ForwardError.values())
                .allSatisfy(error -> assertThat(apiReadme).contains("`" + error + "`"));
    }

    private static Stream<String> groups(Pattern pattern, String text) {
        return pattern.matcher(text).results().map((MatchResult match) -> match.group(1));
    }
}
