package io.webproxy.samples;

import static org.assertj.core.api.Assertions.assertThat;

import io.webproxy.samples.cli.Cli;
import io.webproxy.testing.LeakCheck;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A start of the command line that fails for what the arguments name. */
@ExtendWith(LeakCheck.class)
@Timeout(60)
class FailedStartTest {
    private static final String HASH = "$2y$05$1xHZPCHkkIvCgWRLSPF5fuX8SrYf4eWDwtf09VnNQsU6BOfW8iIMO";

    @TempDir
    Path directory;

    private void makeFiles() throws IOException {
        TestIdentity identity = TestIdentity.in(directory);
        EncryptedKey.write(identity.key(), directory.resolve("encrypted.pem"), "p4ss");
        Files.createDirectory(directory.resolve("folder"));
        Files.writeString(directory.resolve("empty"), "");
        Files.writeString(directory.resolve("comment"), "# users\n\n");
        Files.writeString(directory.resolve("md5"), "alice:$apr1$x$y\n");
        Files.writeString(directory.resolve("twice"), ("alice:" + HASH + "\n").repeat(2));
        Files.write(directory.resolve("binary"), new byte[] {'a', (byte) 0xff, (byte) 0xfe});
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "--cert none.pem --key key.pem|DIR/none.pem doesn't exist (expected: a file with the certificate"
                        + " chain).",
                "--cert cert.pem --key none.pem|DIR/none.pem doesn't exist (expected: a file with the key).",
                "--cert folder --key key.pem|DIR/folder is a directory (expected: a file with the certificate chain).",
                "--cert empty --key key.pem|There is no certificate in DIR/empty (expected: the certificate chain, as"
                        + " PEM).",
                "--cert binary --key key.pem|There is no certificate in DIR/binary (expected: the certificate chain,"
                        + " as PEM).",
                "--cert cert.pem --key cert.pem|There is no key in DIR/cert.pem (expected: the key, as PEM).",
                "--cert cert.pem --key encrypted.pem|The key in DIR/encrypted.pem is encrypted: give its password,"
                        + " --key-password PASSWORD.",
                "--cert cert.pem --key encrypted.pem --key-password=|The key in DIR/encrypted.pem is encrypted: give"
                        + " its password, --key-password PASSWORD.",
                "--cert cert.pem --key encrypted.pem --key-password wr0ng|The password of the key in DIR/encrypted.pem"
                        + " is wrong.",
                "--keystore none.p12|DIR/none.p12 doesn't exist (expected: a file with the PKCS#12 key store).",
                "--keystore cert.pem|DIR/cert.pem can't be read: it is damaged or no PKCS#12 file.",
                "--htpasswd none|--htpasswd: DIR/none doesn't exist (expected: a file made with htpasswd -B)",
                "--htpasswd folder|--htpasswd: DIR/folder is a directory (expected: a file made with htpasswd -B)",
                "--htpasswd empty|--htpasswd: DIR/empty has no user (expected: user:hash lines; add one by htpasswd"
                        + " -B)",
                "--htpasswd comment|--htpasswd: DIR/comment has no user (expected: user:hash lines; add one by"
                        + " htpasswd -B)",
                "--htpasswd binary|--htpasswd: DIR/binary (expected: text in UTF-8)",
                "--htpasswd md5|--htpasswd: DIR/md5, line 1, another kind of hash than bcrypt (expected: $2y$, $2a$ or"
                        + " $2b$; make it with htpasswd -B)",
                "--htpasswd twice|--htpasswd: DIR/twice, line 2, a user that is there already (expected: each user"
                        + " once)",
                "--acme a.example.com --accept-terms --acme-ca none.pem|--acme-ca: DIR/none.pem doesn't exist"
                        + " (expected: a PEM file of certificates).",
                "--acme a.example.com --accept-terms --acme-ca folder|--acme-ca: DIR/folder can't be read (expected: a"
                        + " PEM file that this user may read).",
                "--acme a.example.com --accept-terms --acme-ca empty|--acme-ca: there is no certificate in DIR/empty"
                        + " (expected: a PEM file of certificates).",
                "--access-log folder|The access log DIR/folder can't be written: name a file in a directory that"
                        + " exists and that you may write to.",
            })
    void fileThatCannotBeUsedIsOneSentenceInTheCommandLinesWords(String options, String sentence) throws IOException {
        makeFiles();
        List<String> arguments = new ArrayList<>(List.of("expose", "--internal-port", "9", "--external-port", "0"));
        for (String option : options.split(" ")) {
            boolean file = Files.exists(directory.resolve(option)) || option.startsWith("none");
            arguments.add(file ? directory.resolve(option).toString() : option);
        }
        assertFails(sentence.replace("DIR", directory.toString()), arguments);
    }

    @Test
    void portInUseIsSaidOfItsOption() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            String port = Integer.toString(taken.getLocalPort());
            String inUse = "Port " + port + " is already in use: stop the program that uses it, or choose another ";
            assertFails(
                    inUse + "--external-port.",
                    List.of("expose", "--internal-port", "9", "--external-port", port, "--bind", "127.0.0.1"));
            assertFails(
                    inUse + "--http-port.",
                    List.of("demo", "--external-port", "0", "--http-port", port, "--bind", "127.0.0.1"));
        }
    }

    @ParameterizedTest
    @CsvSource({"203.0.113.1", "no-such-host.invalid", "127.0.0.1:80"})
    void addressOfAnotherMachineIsSaidOfItsOption(String address) {
        assertFails(
                "--bind: " + address + " (expected: an address of this machine, such as 127.0.0.1 or 0.0.0.0).",
                List.of("demo", "--external-port", "0", "--bind", address));
    }

    private static void assertFails(String sentence, List<String> arguments) {
        Home.set();
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int status = Cli.commandLine()
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(arguments.toArray(String[]::new));
        assertThat(err.toString()).isEqualTo("webproxy: " + sentence + System.lineSeparator());
        assertThat(status).isEqualTo(1);
        assertThat(out.toString()).isEmpty();
    }
}
