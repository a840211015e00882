package io.webproxy.undertow;

import static com.tngtech.archunit.lang.SimpleConditionEvent.violated;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Which package may use which, of the API and of the engine: a package that is not named here fails. */
@AnalyzeClasses(
        packages = "io.webproxy",
        importOptions = {ImportOption.DoNotIncludeTests.class, ArchitectureTest.NoTestJars.class})
class ArchitectureTest {
    /** The jars of tests that modules share. */
    static final class NoTestJars implements ImportOption {
        @Override
        public boolean includes(Location location) {
            return !location.contains("-tests.jar");
        }
    }

    private static final String API = "io.webproxy";
    private static final String ENGINE = "io.webproxy.undertow";

    /**
     * The inside of the API: its records implement the sealed interfaces of the public packages, which build their
     * configuration of its types. So it has no place in the order of packages.
     */
    private static final String INSIDE = "io.webproxy.spi";

    /** What each package of the API may use besides itself; the top, here empty, may use all but metrics. */
    private static final Map<String, Set<String>> API_ARROWS = Map.ofEntries(
            entry("http", Set.of()),
            entry("timeout", Set.of("http")),
            entry("auth", Set.of("http")),
            entry("tls", Set.of("observe")),
            entry("route", Set.of("http", "timeout", "auth", "tls")),
            entry("port", Set.of("http", "tls", "tunnel")),
            entry("tunnel", Set.of()),
            entry("observe", Set.of("timeout")),
            entry("metrics", Set.of("", "observe", "route", "timeout", "tls", "tunnel")));

    /** What each package of the engine may use besides itself and the API; the top may use auth and server. */
    private static final Map<String, Set<String>> ENGINE_ARROWS = Map.ofEntries(
            entry("auth", Set.of("deadline", "tls")),
            entry("deadline", Set.of()),
            entry("conduit", Set.of()),
            entry("sniff", Set.of()),
            entry("websocket", Set.of()),
            entry("tls", Set.of("tls.keys", "tls.engine")),
            entry("tls.keys", Set.of()),
            entry("tls.engine", Set.of()),
            entry("observe", Set.of()),
            entry("relay", Set.of("deadline", "observe")),
            entry("message", Set.of()),
            entry("exchange", Set.of("deadline", "observe", "message")),
            entry("http1", Set.of("conduit", "deadline", "exchange", "message")),
            entry("http2", Set.of("conduit", "deadline", "exchange", "message", "observe")),
            entry("upstream", Set.of("conduit", "deadline", "exchange", "http2", "message", "tls", "observe")),
            entry("forward", Set.of("conduit", "deadline", "upstream", "exchange", "message", "relay", "websocket")),
            entry("pipeline", Set.of("conduit", "deadline", "exchange", "message", "observe")),
            entry("status", Set.of("deadline", "exchange")),
            entry("endpoint", Set.of("deadline", "sniff", "tls", "relay", "observe")),
            entry("tunnel", Set.of("deadline", "sniff", "relay", "tls", "observe")),
            entry(
                    "server",
                    Set.of(
                            "auth",
                            "deadline",
                            "sniff",
                            "tls",
                            "observe",
                            "relay",
                            "exchange",
                            "http1",
                            "http2",
                            "upstream",
                            "forward",
                            "pipeline",
                            "endpoint",
                            "status",
                            "tunnel")));

    @ArchTest
    static final ArchRule packagesUseOnlyWhatTheArrowsAllow = classes()
            .that()
            .resideInAPackage("io.webproxy..")
            .should(followTheArrows())
            .allowEmptyShould(true);

    @ArchTest
    static void everyArrowIsUsed(JavaClasses all) {
        Set<String> used = all.stream()
                .flatMap(origin -> origin.getDirectDependenciesFromSelf().stream())
                .map(dependency -> arrow(
                        dependency.getOriginClass().getPackageName(),
                        dependency.getTargetClass().getBaseComponentType().getPackageName()))
                .collect(Collectors.toSet());
        assertThat(used).containsAll(arrows(ENGINE, ENGINE_ARROWS)).containsAll(arrows(API, API_ARROWS));
    }

    private static Set<String> arrows(String top, Map<String, Set<String>> allowed) {
        return allowed.entrySet().stream()
                .flatMap(from -> from.getValue().stream().map(to -> arrow(top + "." + from.getKey(), top + "." + to)))
                .collect(Collectors.toSet());
    }

    private static String arrow(String from, String to) {
        return from + " -> " + (to.equals(API + ".") ? API : to);
    }

    @ArchTest
    static final ArchRule noCycles =
            slices().assignedFrom(packages()).should().beFreeOfCycles().allowEmptyShould(true);

    @ArchTest
    static final ArchRule apiKnowsNoEngine = noClasses()
            .that()
            .resideOutsideOfPackage("io.webproxy.undertow..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.undertow..", "org.xnio..", "org.jboss..", "org.conscrypt..", "org.bouncycastle..")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule parsersArePure = noClasses()
            .that()
            .resideInAnyPackage("io.webproxy.undertow.sniff", "io.webproxy.undertow.websocket")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "io.undertow..", "org.xnio..", "org.jboss..", "org.conscrypt..", "org.bouncycastle..", "java.io..")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule onlyTheEngineClassIsPublic = classes()
            .that()
            .resideInAPackage(ENGINE)
            .and()
            .arePublic()
            .should()
            .haveFullyQualifiedName(ENGINE + ".UndertowEngine")
            .allowEmptyShould(true);

    private static ArchCondition<JavaClass> followTheArrows() {
        return new ArchCondition<>("use only packages that the arrows allow") {
            @Override
            public void check(JavaClass origin, ConditionEvents events) {
                String from = origin.getPackageName();
                if (!isKnown(from)) {
                    events.add(violated(origin, origin.getName() + ": its package is not among the known ones"));
                }
                for (Dependency dependency : origin.getDirectDependenciesFromSelf()) {
                    String to =
                            dependency.getTargetClass().getBaseComponentType().getPackageName();
                    boolean ours = to.equals(API) || to.startsWith(API + ".");
                    if (ours && !to.equals(from) && !isAllowed(from, to)) {
                        events.add(violated(dependency, dependency.getDescription()));
                    }
                }
            }
        };
    }

    private static boolean isKnown(String packageName) {
        return packageName.equals(API)
                || packageName.equals(INSIDE)
                || packageName.equals(ENGINE)
                || Stream.of(
                                API_ARROWS.keySet().stream().map(name -> API + "." + name),
                                ENGINE_ARROWS.keySet().stream().map(name -> ENGINE + "." + name))
                        .flatMap(names -> names)
                        .anyMatch(packageName::equals);
    }

    private static boolean isAllowed(String from, String to) {
        if (!isKnown(to)) {
            return false;
        }
        boolean fromEngine = isEngine(from);
        if (isEngine(to)) {
            return fromEngine
                    && (from.equals(ENGINE)
                            ? Set.of("auth", "server").contains(packageOf(ENGINE, to))
                            : ENGINE_ARROWS
                                    .getOrDefault(packageOf(ENGINE, from), Set.of())
                                    .contains(packageOf(ENGINE, to)));
        }
        return fromEngine
                || from.equals(API)
                || from.equals(INSIDE)
                || to.equals(INSIDE)
                || API_ARROWS.getOrDefault(packageOf(API, from), Set.of()).contains(packageOf(API, to));
    }

    private static boolean isEngine(String packageName) {
        return packageName.equals(ENGINE) || packageName.startsWith(ENGINE + ".");
    }

    /** The package's name below {@code top}, empty for the top itself. */
    private static String packageOf(String top, String packageName) {
        return packageName.equals(top) ? "" : packageName.substring(top.length() + 1);
    }

    private static SliceAssignment packages() {
        return new SliceAssignment() {
            @Override
            public SliceIdentifier getIdentifierOf(JavaClass javaClass) {
                return javaClass.getPackageName().equals(INSIDE)
                        ? SliceIdentifier.ignore()
                        : SliceIdentifier.of(javaClass.getPackageName());
            }

            @Override
            public String getDescription() {
                return "packages";
            }
        };
    }
}
