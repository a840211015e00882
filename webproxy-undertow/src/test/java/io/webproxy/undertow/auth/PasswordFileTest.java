package io.webproxy.undertow.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PasswordFileTest {
    private static final String HASH = "DmULVGJldcqzkeYg7bc84utnHMhBl3Mo5OPbFXSwHR/6vomDDKzgO";

    @TempDir
    Path directory;

    private Path file(String text) throws IOException {
        return Files.write(directory.resolve("users"), text.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void readsAllThreeKindsOfBcrypt() throws IOException {
        PasswordFile users = PasswordFile.read(
                file("a:$2y$04$" + HASH + "\nb:$2a$12$" + HASH + "\n  # c:x\n \nü:$2b$05$" + HASH + ":comment"));
        assertThat(users.size()).isEqualTo(3);
        assertThat(users.hashOf("ü")).isEqualTo("$2b$05$" + HASH);
        assertThat(users.hashOf("c")).isNull();
        assertThat(users.hashOfNobody()).startsWith("$2b$12$").hasSize(60);
    }

    @ParameterizedTest
    @CsvSource({
        "dave:$apr1$4P7hsEB5$9Sil3tLC9fndTA4q/0vkw/, another kind of hash than bcrypt",
        "eve:{SHA}EfatjsUqKYSrqv18O1FlA3hcIHI=, another kind of hash than bcrypt",
        "frank:plaintext, another kind of hash than bcrypt",
        "grace:, another kind of hash than bcrypt",
        "noColon, user:hash",
        ":$2y$04$DmULVGJldcqzkeYg7bc84utnHMhBl3Mo5OPbFXSwHR/6vomDDKzgO, user:hash",
        "x:$2y$31$DmULVGJldcqzkeYg7bc84utnHMhBl3Mo5OPbFXSwHR/6vomDDKzgO, cost 31 (expected: 4-17)",
        "x:$2y$03$DmULVGJldcqzkeYg7bc84utnHMhBl3Mo5OPbFXSwHR/6vomDDKzgO, cost 3 (expected: 4-17)",
        "x:$2x$04$DmULVGJldcqzkeYg7bc84utnHMhBl3Mo5OPbFXSwHR/6vomDDKzgO, another kind of hash than bcrypt",
        "x:$2y$04$DmULVGJldcqzkeYg7bc84utnHMhBl3Mo5OPbFXSwHR/6vomDDKzg, another kind of hash than bcrypt",
        "first:$2y$04$DmULVGJldcqzkeYg7bc84utnHMhBl3Mo5OPbFXSwHR/6vomDDKzgO, a user that is there already"
    })
    void badLineIsNamedByItsNumberWithoutTheHash(String line, String problem) throws IOException {
        Path file = file("first:$2y$04$" + HASH + "\n# comment\n" + line + "\n");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> PasswordFile.read(file))
                .withMessageStartingWith("htpasswd: " + file + ", line 3")
                .withMessageContaining(problem)
                .withMessageNotContaining("DmULVG")
                .withMessageNotContaining("4P7hsEB5")
                .withMessageNotContaining("EfatjsU")
                .withMessageNotContaining("plaintext");
    }

    @Test
    void firstUserWhoCantBeSentIsNamedByTheLine() throws IOException {
        PasswordFile.read(file("a!~:$2y$04$" + HASH + "\n")).checkSendable("route all sends them");
        Path file = file("ann:$2y$04$" + HASH + "\n#\ntwo words:$2y$04$" + HASH + "\n\u4e2d:$2y$04$" + HASH + "\n");
        PasswordFile users = PasswordFile.read(file);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> users.checkSendable("route all sends them in X-Who"))
                .withMessage("htpasswd: " + file + ", line 3, user two?words (expected: users of visible ASCII"
                        + " characters, for route all sends them in X-Who)");
    }

    @Test
    void whatIsNoTextIsRefused() throws IOException {
        Path file = Files.write(directory.resolve("users"), new byte[] {'a', ':', (byte) 0xff});
        assertThatIllegalArgumentException()
                .isThrownBy(() -> PasswordFile.read(file))
                .withMessage("htpasswd: " + file + " (expected: text in UTF-8)");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> PasswordFile.read(directory))
                .withMessage("htpasswd: " + directory + " is a directory (expected: a file made with htpasswd -B)");
    }
}
