package io.webproxy.undertow.auth;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;

/** Any htpasswd file, and any {@code Authorization}. */
class CredentialsFuzzTest {
    @FuzzTest
    void passwordFile(byte[] input) throws IOException {
        Path file = Files.createTempFile("fuzz", "htpasswd");
        try {
            Files.write(file, input);
            PasswordFile users = PasswordFile.read(file);
            assertThat(users.size()).isLessThanOrEqualTo(input.length / 62);
            assertThat(users.hashOfNobody()).matches("\\$2b\\$(0[4-9]|1[0-7])\\$\\.{53}");
        } catch (IllegalArgumentException e) {
            assertThat(e.getMessage())
                    .startsWith("htpasswd: ")
                    .hasSizeLessThan(file.toString().length() + 150);
        } finally {
            Files.delete(file);
        }
    }

    @FuzzTest
    void authorization(byte[] input) {
        Credentials.parse(List.of(new String(input, StandardCharsets.ISO_8859_1)));
        Credentials given =
                Credentials.parse(List.of("Basic " + Base64.getEncoder().encodeToString(input)));
        if (given != null) {
            byte[] user = given.user().getBytes(StandardCharsets.UTF_8);
            assertThat(given.userAndPassword()).isEqualTo(input);
            assertThat(given.user()).doesNotContain(":");
            assertThat(given.password()).isEqualTo(Arrays.copyOfRange(input, user.length + 1, input.length));
        }
    }
}
