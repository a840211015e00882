package io.webproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.reflect.Modifier;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** How much there is to learn for whoever writes a program against the library. */
class PublicFaceTest {
    /** May fall, and rises only with a reason in the commit that raises it. */
    private static final int TYPES = 70;

    private static List<Class<?>> publicTypes() throws IOException, URISyntaxException {
        Path classes = Path.of(ProxyServer.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
        try (Stream<Path> files = Files.walk(classes.resolve("io"))) {
            return files.map(file -> classes.relativize(file).toString())
                    .filter(name -> name.endsWith(".class") && !name.contains("-info"))
                    .map(name -> name.substring(0, name.length() - ".class".length())
                            .replace(classes.getFileSystem().getSeparator(), "."))
                    .filter(name -> !name.startsWith("io.webproxy.spi."))
                    .<Class<?>>map(PublicFaceTest::load)
                    .filter(PublicFaceTest::isPublic)
                    .toList();
        }
    }

    private static Class<?> load(String name) {
        try {
            return Class.forName(name, false, ProxyServer.class.getClassLoader());
        } catch (ClassNotFoundException e) {
            throw new AssertionError(e);
        }
    }

    private static boolean isPublic(Class<?> type) {
        Class<?> around = type.getEnclosingClass();
        return Modifier.isPublic(type.getModifiers())
                && !type.isAnonymousClass()
                && (around == null || isPublic(around));
    }

    @Test
    void thereAreNoMoreTypesThanThese() throws IOException, URISyntaxException {
        assertThat(publicTypes())
                .hasSizeLessThanOrEqualTo(TYPES)
                .contains(ProxyServer.class, ProxyConfig.Builder.class);
    }

    @Test
    void optionsAndReportsAreNoRecords() throws IOException, URISyntaxException {
        // a record's constructor breaks with the next component
        assertThat(publicTypes()).noneMatch(Class::isRecord);
    }
}
