package io.webproxy.undertow.http2;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StreamTableTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 8, 40, 1000})
    void isAMapFromNumbersToStreams(int most) {
        Random random = new Random(most);
        StreamTable<String> table = new StreamTable<>();
        Map<Integer, String> map = new HashMap<>();
        int next = 1;
        for (int i = 0; i < 20_000; i++) {
            if (map.size() < most && random.nextBoolean()) {
                table.put(next, "stream " + next);
                map.put(next, "stream " + next);
                next += 2 * (1 + random.nextInt(random.nextInt(50) == 0 ? 100_000 : 3));
            } else {
                int id = map.isEmpty() || random.nextInt(4) == 0
                        ? 1 + 2 * random.nextInt(next)
                        : map.keySet().stream()
                                .skip(random.nextInt(map.size()))
                                .findFirst()
                                .orElseThrow();
                assertThat(table.get(id)).isEqualTo(map.get(id));
                assertThat(table.remove(id)).isEqualTo(map.remove(id));
                assertThat(table.get(id)).isNull();
            }
            assertThat(table.size()).isEqualTo(map.size());
            if (i % 100 == 0) {
                assertThat(table.all().stream().sorted().toList())
                        .isEqualTo(map.values().stream().sorted().toList());
                Map<Integer, String> found = new HashMap<>();
                map.keySet().forEach(id -> found.put(id, table.get(id)));
                assertThat(found).isEqualTo(map);
            }
        }
    }
}
