package io.webproxy.undertow.server;

import io.undertow.Version;
import io.webproxy.ProxyStartException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Refuses Undertow versions below 2.4.4, which lack security fixes that this engine relies on: another BOM may have
 * pinned an older one. No canary: it is for versions that aren't there.
 */
final class UndertowVersion {
    private static final int[] LEAST = {2, 4, 4};
    private static final Pattern NUMBERS = Pattern.compile("(\\d+)\\.(\\d+)\\.(\\d+).*");

    private UndertowVersion() {}

    static void check() {
        check(Version.getVersionString());
    }

    static void check(String version) {
        Matcher numbers = NUMBERS.matcher(version);
        if (numbers.matches() && compare(numbers) < 0) {
            throw new ProxyStartException("Undertow " + version
                    + " is on the class path, which has known security defects: set the version of undertow-core to"
                    + " 2.4.4.Final or newer (with Spring Boot: in <dependencyManagement>, without its property"
                    + " undertow.version).");
        }
    }

    private static int compare(Matcher numbers) {
        for (int i = 0; i < LEAST.length; i++) {
            int order = Integer.compare(Integer.parseInt(numbers.group(i + 1)), LEAST[i]);
            if (order != 0) {
                return order;
            }
        }
        return 0;
    }
}
