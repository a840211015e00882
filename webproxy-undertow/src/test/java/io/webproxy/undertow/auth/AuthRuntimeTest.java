package io.webproxy.undertow.auth;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.webproxy.auth.AuthDecision;
import io.webproxy.auth.BasicAuth;
import io.webproxy.http.RequestHead;
import io.webproxy.testing.LeakCheck;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(LeakCheck.class)
class AuthRuntimeTest {
    /** Made by htpasswd -nbB. */
    private static final String HORSE = "$2y$04$DmULVGJldcqzkeYg7bc84utnHMhBl3Mo5OPbFXSwHR/6vomDDKzgO";

    private static final String EIGHTY_X = "$2y$06$s31/f0yqlcS.E9YmwpfEIujYNxIGokEC/X8f1Ix9dd9TG0hBKI866";

    private final AuthRuntime runtime = new AuthRuntime();

    @AfterEach
    void close() {
        runtime.close();
        runtime.close();
    }

    private boolean verify(String password, String hash) {
        return AuthServices.of(runtime.executor()).verifyBcrypt(password.getBytes(UTF_8), hash);
    }

    @ParameterizedTest
    @CsvSource({
        "correct horse, " + HORSE,
        "pässwörd:x, $2y$05$CxvkHP3nhm3qUkS9s0cjbuyx0BEJJREU22o93YOCisn6/56vHbDd.",
        // by crypt(3)
        "secret, $2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW",
        "secret, $2a$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
    })
    void hashesOfOtherToolsAreVerified(String password, String hash) {
        assertThat(verify(password, hash)).isTrue();
        assertThat(verify(password + "x", hash)).isFalse();
        assertThat(verify(password.substring(1), hash)).isFalse();
        assertThat(verify("", hash)).isFalse();
    }

    @Test
    void passwordAboveThe72BytesOfBcryptIsRefused() {
        assertThat(verify("x".repeat(72), EIGHTY_X)).isTrue();
        assertThat(verify("x".repeat(73), EIGHTY_X)).isFalse();
        assertThat(verify("x".repeat(80), EIGHTY_X)).isFalse();
        assertThat(verify("x".repeat(5000), EIGHTY_X)).isFalse();
        assertThat(verify("x".repeat(71), EIGHTY_X)).isFalse();
        // a cut within a character
        assertThat(verify("x".repeat(71) + "ü", EIGHTY_X)).isFalse();
    }

    @Test
    void passwordIsLeftAlone() {
        byte[] password = "correct horse".getBytes(UTF_8);
        assertThat(AuthServices.of(runtime.executor()).verifyBcrypt(password, HORSE))
                .isTrue();
        assertThat(password).asString(UTF_8).isEqualTo("correct horse");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "$",
                "plain",
                "$2y$04$",
                "$2y$04$DmULVGJldcqzkeYg7bc84utnHMhBl3Mo5OPbFXSwHR/6vomDDKzg",
                "$2y$04$DmULVGJldcqzkeYg7bc84utnHMhBl3Mo5OPbFXSwHR/6vomDDKzgO ",
                "$2y$99$DmULVGJldcqzkeYg7bc84utnHMhBl3Mo5OPbFXSwHR/6vomDDKzgO",
                "$2y$01$DmULVGJldcqzkeYg7bc84utnHMhBl3Mo5OPbFXSwHR/6vomDDKzgO",
                "$2x$04$DmULVGJldcqzkeYg7bc84utnHMhBl3Mo5OPbFXSwHR/6vomDDKzgO",
                "$2y$04$DmULVGJldcqzkeYg7bc84utnHMhBl3Mo5OPbFXSwHR/6vomDDKzg!",
                "$apr1$4P7hsEB5$9Sil3tLC9fndTA4q/0vkw/"
            })
    void malformedHashIsNobodys(String hash) {
        assertThat(verify("correct horse", hash)).isFalse();
    }

    @Test
    void threadsAreDaemonsWithAName() throws Exception {
        Future<Thread> thread = runtime.executor().submit(Thread::currentThread);
        assertThat(thread.get(30, TimeUnit.SECONDS).isDaemon()).isTrue();
        assertThat(thread.get().getName()).matches("webproxy-auth-[0-9]+");
    }

    @Test
    void queueIsBoundedAndWhatRepeatsGoesOn() throws Exception {
        CountDownLatch repeated = new CountDownLatch(3);
        runtime.executor().scheduleWithFixedDelay(repeated::countDown, 0, 1, TimeUnit.MILLISECONDS);
        int threads = Math.max(1, Runtime.getRuntime().availableProcessors() / 2);
        CountDownLatch busy = new CountDownLatch(threads);
        CountDownLatch blocked = new CountDownLatch(1);
        for (int i = 0; i < threads; i++) {
            runtime.executor().execute(() -> {
                busy.countDown();
                await(blocked);
            });
        }
        assertThat(busy.await(30, TimeUnit.SECONDS)).isTrue();
        // one place is taken by what repeats
        for (int i = 0; i < 255; i++) {
            runtime.executor().execute(() -> {});
        }
        assertThatThrownBy(() -> runtime.executor().execute(() -> {})).isInstanceOf(RejectedExecutionException.class);
        assertThatThrownBy(() -> runtime.executor().submit(() -> {})).isInstanceOf(RejectedExecutionException.class);
        assertThatThrownBy(() -> runtime.executor().schedule(() -> 1, 1, TimeUnit.HOURS))
                .isInstanceOf(RejectedExecutionException.class);
        blocked.countDown();
        assertThat(repeated.await(30, TimeUnit.SECONDS)).isTrue();
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void htpasswdFileIsCheckedByRealBcrypt(@TempDir Path directory) throws Exception {
        Path file = Files.writeString(directory.resolve("users"), "alice:" + HORSE + "\n");
        BasicAuth auth = BasicAuth.htpasswd(file);
        auth.start(runtime.executor());
        assertThat(decide(auth, "alice:correct horse")).isEqualTo(AuthDecision.granted("alice"));
        assertThat(decide(auth, "alice:wrong horse"))
                .extracting(AuthDecision::isGranted)
                .isEqualTo(false);
        assertThat(decide(auth, "mallory:correct horse"))
                .extracting(AuthDecision::isGranted)
                .isEqualTo(false);
        auth.stop();
    }

    private static AuthDecision decide(BasicAuth auth, String pair) throws Exception {
        String field = "Basic " + Base64.getEncoder().encodeToString(pair.getBytes(UTF_8));
        RequestHead request = (RequestHead) Proxy.newProxyInstance(
                RequestHead.class.getClassLoader(),
                new Class<?>[] {RequestHead.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "headers" -> List.of(field);
                    case "clientAddress" -> InetAddress.getLoopbackAddress();
                    default -> throw new UnsupportedOperationException(method.getName());
                });
        return auth.authenticate(request).toCompletableFuture().get(30, TimeUnit.SECONDS);
    }
}
