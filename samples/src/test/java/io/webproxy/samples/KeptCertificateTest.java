package io.webproxy.samples;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.testing.ExpectedLog;
import io.webproxy.testing.LeakCheck;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The command line's self-signed certificate, which clients that were given it trust after a restart. */
@ExtendWith(LeakCheck.class)
@Timeout(60)
class KeptCertificateTest {
    @TempDir
    Path directory;

    private X509Certificate presented(String... options) throws Exception {
        List<String> arguments = new ArrayList<>(List.of("demo", "--external-port", "0", "--bind", "127.0.0.1"));
        arguments.addAll(List.of(options));
        try (Served demo = Served.start(arguments.toArray(String[]::new))) {
            return PresentedCertificate.of(demo.url("/").port());
        }
    }

    private String storage() {
        return directory.resolve("kept").toString();
    }

    private X509Certificate kept(String names) throws Exception {
        return presented("--self-signed", names, "--self-signed-storage", storage());
    }

    @Test
    void isTheSameAfterARestartForTheSameSetOfNames() throws Exception {
        X509Certificate first = kept("localhost,127.0.0.1,::1");
        assertThat(kept("0:0:0:0:0:0:0:1,LOCALHOST,127.0.0.1"))
                .as("the same set")
                .isEqualTo(first);
        assertThat(kept("localhost")).isNotEqualTo(first);
        assertThat(kept("localhost,127.0.0.1,::1")).isEqualTo(first);
        assertThat(presented("--self-signed", "localhost,127.0.0.1,::1", "--self-signed-storage", "none"))
                .isNotEqualTo(first);
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void directoryAndKeyAreForTheOwnerAlone() throws Exception {
        kept("localhost");
        assertThat(permissions(Path.of(storage()))).isEqualTo("rwx------");
        try (var files = Files.list(Path.of(storage()))) {
            assertThat(files)
                    .extracting(file -> file.getFileName().toString().replaceFirst("-[0-9a-f]{12}", "-HASH") + " "
                            + permissions(file))
                    .containsExactlyInAnyOrder(
                            "localhost-HASH.crt rw-r--r--", "localhost-HASH.key rw-------", ".lock rw-------");
        }
    }

    private static String permissions(Path file) throws Exception {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    }

    @Test
    @ExpectedLog(logger = "io.webproxy.tls", contains = "None of --cert, --keystore and --acme is given")
    void isKeptInTheHomeDirectoryUnlessToldOtherwise() throws Exception {
        X509Certificate first = presented();
        assertThat(presented()).isEqualTo(first);
        assertThat(Home.set().resolve(".webproxy/self-signed")).isNotEmptyDirectory();
    }

    @Test
    @ExpectedLog(logger = "io.webproxy.tls", contains = "None of --cert, --keystore and --acme is given")
    @ExpectedLog(logger = "io.webproxy.tls", contains = "The self-signed certificate is new at each start")
    void isInMemoryWithAWarningWhereTheHomeDirectoryCannotBeWritten() throws Exception {
        Path file = Files.writeString(directory.resolve("no-home"), "");
        try (Home.Other other = Home.of(file)) {
            assertThat(presented()).isNotEqualTo(presented());
        }
    }

    @Test
    void processesThatStartAtOnceGetTheSameOne() throws Exception {
        ExecutorService starting = Executors.newFixedThreadPool(2);
        try (MainProcess one = start();
                MainProcess two = start()) {
            Future<String> first = starting.submit(one::line);
            Future<String> second = starting.submit(two::line);
            assertThat(PresentedCertificate.of(port(first.get())))
                    .isEqualTo(PresentedCertificate.of(port(second.get())));
        } finally {
            starting.shutdownNow();
        }
    }

    private MainProcess start() throws Exception {
        return MainProcess.start(
                "demo",
                "--external-port",
                "0",
                "--bind",
                "127.0.0.1",
                "--self-signed",
                "localhost",
                "--self-signed-storage",
                storage());
    }

    private static int port(String ready) {
        return Integer.parseInt(ready.replaceAll(".*:([0-9]+)/", "$1"));
    }
}
