package io.webproxy.acme;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Which package of this module uses which: the top wires them, and they know nothing of it but its contracts. */
@AnalyzeClasses(packages = "io.webproxy.acme", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    private static final String TOP = "io.webproxy.acme";
    private static final Set<String> CONTRACTS =
            Set.of("CertificateStore", "ChallengeKind", "CheckFinding", "DnsRecordPublisher");
    private static final Map<String, List<String>> ARROWS = Map.ofEntries(
            entry("certificate", List.of()),
            entry("ca", List.of()),
            entry("challenge", List.of("ca", "certificate")),
            entry("order", List.of("ca", "certificate", "challenge")),
            entry("check", List.of("ca", "certificate")),
            entry("renewal", List.of("ca", "certificate", "order")),
            entry("store", List.of()));

    @ArchTest
    static void packagesUseWhatTheArrowsSayAndNothingElse(JavaClasses all) {
        Set<String> used = all.stream()
                .flatMap(origin -> origin.getDirectDependenciesFromSelf().stream())
                .filter(use -> isOurs(use.getOriginClass().getPackageName())
                        && isOurs(use.getTargetClass().getBaseComponentType().getPackageName()))
                .map(use -> packageOf(use.getOriginClass().getPackageName()) + " -> "
                        + target(use.getTargetClass().getBaseComponentType().getName()))
                .filter(arrow -> !arrow.startsWith(" ->") && !isWithin(arrow))
                .collect(Collectors.toCollection(TreeSet::new));
        Set<String> allowed = ARROWS.entrySet().stream()
                .flatMap(from -> from.getValue().stream().map(to -> from.getKey() + " -> " + to))
                .collect(Collectors.toCollection(TreeSet::new));
        assertThat(used).isEqualTo(allowed);
    }

    private static boolean isOurs(String packageName) {
        return packageName.equals(TOP) || packageName.startsWith(TOP + ".");
    }

    private static boolean isWithin(String arrow) {
        int at = arrow.indexOf(" -> ");
        String to = arrow.substring(at + 4);
        return arrow.substring(0, at).equals(to) || CONTRACTS.contains(to);
    }

    /** The package's name below the top, empty for the top. */
    private static String packageOf(String packageName) {
        return packageName.equals(TOP) ? "" : packageName.substring(TOP.length() + 1);
    }

    /** The package of a class; of one at the top, its outermost class. */
    private static String target(String className) {
        String below = className.substring(TOP.length() + 1);
        int dot = below.indexOf('.');
        return dot >= 0 ? below.substring(0, dot) : below.replaceFirst("\\$.*", "");
    }
}
