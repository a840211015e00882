package io.webproxy.undertow.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.testing.LeakCheck;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LeakCheck.class)
class WarmUpTest {
    @Test
    void everyNameIsAClass() {
        List<String> names = WarmUp.names();
        assertThat(names).hasSizeGreaterThan(300);
        Map<String, String> missing = new TreeMap<>();
        for (String listed : names) {
            // the compiler of another JDK may make no class of a switch: where it stands must be one
            String name = listed.replaceFirst("^(io\\.webproxy\\..*)\\$\\d+$", "$1");
            try {
                Class.forName(name, false, WarmUp.class.getClassLoader());
            } catch (ClassNotFoundException | LinkageError e) {
                missing.put(name, e.toString());
            }
        }
        assertThat(missing).isEmpty();
    }

    /** In a JVM of its own, where nothing else has initialised them. */
    @Test
    void whatOpensFilesIsInitialisedWhenAServerStarts() {
        WarmUp.run();
        assertThat(isInitialised("org.xnio.channels.Channels")).isTrue();
        assertThat(isInitialised("org.xnio.conduits.Conduits")).isTrue();
    }

    private static boolean isInitialised(String name) {
        try {
            // an initialiser that failed would fail here
            Class.forName(name, true, WarmUp.class.getClassLoader());
            return true;
        } catch (ClassNotFoundException | LinkageError e) {
            return false;
        }
    }
}
