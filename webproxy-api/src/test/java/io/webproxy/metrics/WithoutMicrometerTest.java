package io.webproxy.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.ProxyServer;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class WithoutMicrometerTest {
    private static URLClassLoader pathWithoutMicrometer() throws IOException {
        List<URL> path = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            if (!entry.isEmpty() && !entry.contains("micrometer")) {
                path.add(Path.of(entry).toUri().toURL());
            }
        }
        return new URLClassLoader(path.toArray(URL[]::new), ClassLoader.getPlatformClassLoader());
    }

    @Test
    void nothingButItsPackageNeedsIt() throws IOException, URISyntaxException, ReflectiveOperationException {
        Path classes = Path.of(ProxyServer.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
        int found = 0;
        try (URLClassLoader loader = pathWithoutMicrometer();
                Stream<Path> files = Files.walk(classes.resolve("io"))) {
            for (Path file : files.toList()) {
                String name = classes.relativize(file).toString().replace(File.separatorChar, '.');
                if (name.endsWith(".class") && !name.contains("-info") && !name.startsWith("io.webproxy.metrics.")) {
                    // what a container does with every class of a bean: it fails if a signature has a missing type
                    Class<?> type = Class.forName(name.substring(0, name.length() - ".class".length()), true, loader);
                    assertThat(type.getMethods()).isNotNull();
                    assertThat(type.getDeclaredConstructors()).isNotNull();
                    found++;
                }
            }
            assertThat(found).isGreaterThan(100);
            assertThat(loader.getResource("io/micrometer/core/instrument/MeterRegistry.class"))
                    .isNull();
            Object builder = loader.loadClass("io.webproxy.ProxyServer")
                    .getMethod("builder")
                    .invoke(null);
            Object config = builder.getClass()
                    .getMethod("forward", String[].class)
                    .invoke(builder.getClass().getMethod("http", int.class).invoke(builder, 0), (Object)
                            new String[] {"http://127.0.0.1:8080"});
            assertThat(config.getClass().getMethod("build").invoke(config)).isNotNull();
        }
    }
}
