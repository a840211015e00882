package io.webproxy.corpus;

import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.webproxy.testing.LeakCheck;
import io.webproxy.undertow.testing.Front;
import java.io.IOException;
import java.net.URISyntaxException;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/** Every case of hostile HTTP/1.1 in {@code src/test/resources/corpus}, in clear and over TLS. */
@ExtendWith(LeakCheck.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CorpusTest {
    private static final String ONLY = System.getProperty("corpus.only", "");

    private final Map<String, CorpusProxy> proxies = new HashMap<>();

    @AfterAll
    void close() throws IOException {
        for (CorpusProxy proxy : proxies.values()) {
            proxy.close();
        }
    }

    @TestFactory
    Stream<DynamicContainer> inClear() throws IOException, URISyntaxException {
        return CorpusFile.all().stream().map(file -> cases(Front.H1, file));
    }

    @TestFactory
    Stream<DynamicContainer> overTls() throws IOException, URISyntaxException {
        return CorpusFile.all().stream().map(file -> cases(Front.H1_TLS, file));
    }

    private DynamicContainer cases(Front front, CorpusFile file) {
        return dynamicContainer(
                file.name(),
                file.cases().stream()
                        .filter(one -> (file.name() + " " + one.name()).contains(ONLY))
                        .map(one -> dynamicTest(one.name(), () -> run(front, file, one))));
    }

    private void run(Front front, CorpusFile file, CorpusCase one) throws Exception {
        CorpusProxy proxy = proxies.get(front + file.name());
        if (proxy == null) {
            proxy = CorpusProxy.start(front, file.options());
            proxies.put(front + file.name(), proxy);
        }
        try {
            CorpusCheck.run(proxy, one);
        } catch (AssertionError | IOException e) {
            throw new AssertionError(front + " " + file.name() + ": " + one + ": " + e, e);
        }
    }
}
