package io.webproxy.undertow.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.webproxy.testing.LeakCheck;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(LeakCheck.class)
class WarmUpTest {
    @Test
    void everyNameIsAClass() {
        assertThat(WarmUp.names())
                .hasSizeGreaterThan(300)
                .allSatisfy(name -> assertThatCode(() -> Class.forName(name, false, WarmUp.class.getClassLoader()))
                        .doesNotThrowAnyException());
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
