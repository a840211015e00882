package io.webproxy.undertow.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SpellingTest {
    @ParameterizedTest
    @CsvSource({"app.example, 63", "App.Example, 63", "db1, 3", "x-1.2, 1", "10.2, 1"})
    void spellingsTakeTurnsAndAreTheSameName(String host, int expected) {
        Set<String> seen = new HashSet<>();
        for (int i = 0; i < 2 * expected; i++) {
            String spelled = Spelling.of(host, i);
            assertThat(spelled).isEqualToIgnoringCase(host);
            assertThat(seen.add(spelled)).isEqualTo(i < expected);
        }
        assertThat(seen).hasSize(expected);
    }

    @Test
    void spellingOfEveryDayIsNone() {
        for (int i = 0; i < 200; i++) {
            assertThat(Spelling.of("localhost", i)).isNotEqualTo("localhost");
        }
        assertThat(Spelling.of("localhost", Integer.MAX_VALUE))
                .isNotEqualTo(Spelling.of("localhost", Integer.MIN_VALUE));
    }

    /** What is cached is the same object; another spelling is another entry, so that the system is asked. */
    @Test
    void jvmCachesEachSpellingByItself() throws Exception {
        InetAddress cached = InetAddress.getAllByName("localhost")[0];
        assertThat(InetAddress.getAllByName("localhost")[0]).isSameAs(cached);
        InetAddress spelled = InetAddress.getAllByName(Spelling.of("localhost", 0))[0];
        assertThat(spelled).isEqualTo(cached).isNotSameAs(cached);
    }
}
