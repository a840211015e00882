package io.webproxy.undertow.auth;

import static io.webproxy.undertow.auth.FakeRequest.basic;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.webproxy.auth.AuthDecision;
import io.webproxy.auth.BasicAuth;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HtpasswdTest {
    private static final String ALICE = "$2y$04$DmULVGJldcqzkeYg7bc84utnHMhBl3Mo5OPbFXSwHR/6vomDDKzgO";
    private static final String BOB = "$2y$05$CxvkHP3nhm3qUkS9s0cjbuyx0BEJJREU22o93YOCisn6/56vHbDd.";

    @TempDir
    Path directory;

    private final FakeServer server =
            new FakeServer().knows(ALICE, "correct horse").knows(BOB, "battery:staple");
    private Path file;
    private BasicAuth auth;
    private int changes;

    @BeforeEach
    void twoUsers() throws IOException {
        file = directory.resolve("users");
        write("# our users\n\nalice:" + ALICE + "\r\nbob:" + BOB + ":a comment\n");
        auth = BasicAuth.htpasswd(file);
        auth.start(server.executor);
    }

    /** Replaces the file; each time it looks older, so that it counts as settled. */
    private void write(String text) throws IOException {
        Files.writeString(file, text);
        Files.setLastModifiedTime(file, FileTime.from(Instant.now().minusSeconds(1000 - 10 * changes++)));
    }

    private CompletableFuture<AuthDecision> ask(String client, String pair) {
        return auth.authenticate(FakeRequest.from(client, basic(pair))).toCompletableFuture();
    }

    private CompletableFuture<AuthDecision> ask(String pair) {
        return ask("192.0.2.1", pair);
    }

    private int answer(String pair) {
        CompletableFuture<AuthDecision> asked = ask(pair);
        server.executor.runAll();
        return status(asked);
    }

    private static int status(CompletableFuture<AuthDecision> decision) {
        assertThat(decision).isDone();
        return decision.join().status().orElse(200);
    }

    @Test
    void usersOfTheFilePass() {
        CompletableFuture<AuthDecision> asked = ask("alice:correct horse");
        assertThat(asked).isNotDone();
        assertThat(server.hashed).hasValue(0);
        server.executor.runAll();
        assertThat(asked).isCompletedWithValue(AuthDecision.granted("alice"));
        assertThat(answer("bob:battery:staple")).isEqualTo(200);
        assertThat(answer("alice:battery:staple")).isEqualTo(401);
        assertThat(answer("bob:correct horse")).isEqualTo(401);
    }

    @Test
    void unknownUserCostsAsMuchAsTheDearestKnown() {
        assertThat(answer("mallory:x")).isEqualTo(401);
        assertThat(server.hashed).hasValue(1);
        assertThat(server.lastHash).startsWith("$2b$05$").hasSize(60);
    }

    @Test
    void dummyHashOpensNothing() {
        server.knows("$2b$05$" + ".".repeat(53), "x");
        assertThat(answer("mallory:x")).isEqualTo(401);
    }

    @Test
    void verifiedCredentialsAreRememberedForFiveMinutes() {
        assertThat(answer("alice:correct horse")).isEqualTo(200);
        assertThat(ask("alice:correct horse")).isDone();
        assertThat(server.hashed).hasValue(1);
        server.pass(Duration.ofSeconds(299));
        assertThat(ask("alice:correct horse")).isDone();
        server.pass(Duration.ofSeconds(2));
        assertThat(answer("alice:correct horse")).isEqualTo(200);
        assertThat(server.hashed).hasValue(2);
    }

    @Test
    void wrongOnesAreNotRemembered() {
        assertThat(answer("alice:x")).isEqualTo(401);
        assertThat(answer("alice:x")).isEqualTo(401);
        assertThat(server.hashed).hasValue(2);
    }

    @Test
    void equalOnesAtATimeAreHashedOnce() {
        List<CompletableFuture<AuthDecision>> asked = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            asked.add(ask("alice:correct horse"));
        }
        server.executor.runAll();
        assertThat(asked).allSatisfy(one -> assertThat(status(one)).isEqualTo(200));
        assertThat(server.hashed).hasValue(1);
    }

    @Test
    void guesserIsThrottledBeforeHashing() {
        for (int i = 0; i < 10; i++) {
            ask("alice:guess" + i);
        }
        CompletableFuture<AuthDecision> eleventh = ask("alice:guess10");
        assertThat(status(eleventh)).isEqualTo(429);
        assertThat(server.executor.waiting()).isEqualTo(10);
        server.executor.runAll();
        assertThat(server.hashed).hasValue(10);
        assertThat(answer("alice:correct horse")).isEqualTo(429);
        CompletableFuture<AuthDecision> elsewhere = ask("192.0.2.2", "alice:guess");
        server.executor.runAll();
        assertThat(status(elsewhere)).isEqualTo(401);
    }

    @Test
    void cachedCredentialsPassAtAThrottledAddressWhereTheyPassedBefore() {
        assertThat(answer("alice:correct horse")).isEqualTo(200);
        for (int i = 0; i < 20; i++) {
            answer("alice:guess" + i);
        }
        assertThat(answer("alice:guess")).isEqualTo(429);
        assertThat(answer("alice:correct horse")).isEqualTo(200);
    }

    @Test
    void guesserDoesNotProfitFromWhatIsCachedForOthers() {
        assertThat(answer("alice:correct horse")).isEqualTo(200);
        for (int i = 0; i < 10; i++) {
            ask("192.0.2.66", "alice:guess" + i);
        }
        assertThat(status(ask("192.0.2.66", "alice:correct horse"))).isEqualTo(429);
    }

    @Test
    void fullQueueSaysComeAgainAndCostsNoToken() {
        server.executor.capacity = 0;
        for (int i = 0; i < 20; i++) {
            CompletableFuture<AuthDecision> asked = ask("alice:correct horse");
            AuthDecision denied = asked.join();
            assertThat(denied.status()).contains(503);
            assertThat(denied.headers()).containsEntry("Retry-After", List.of("1"));
        }
        server.executor.capacity = 10;
        assertThat(answer("alice:correct horse")).isEqualTo(200);
    }

    @Test
    void changedFileHoldsFromTheNextPoll() throws IOException {
        assertThat(answer("alice:correct horse")).isEqualTo(200);
        write("alice:" + BOB + "\n");
        server.executor.tick();
        assertThat(answer("alice:correct horse")).isEqualTo(401);
        assertThat(answer("alice:battery:staple")).isEqualTo(200);
        assertThat(answer("bob:battery:staple")).isEqualTo(401);
    }

    @Test
    void unchangedFileKeepsWhatIsVerified() throws IOException {
        assertThat(answer("alice:correct horse")).isEqualTo(200);
        server.executor.tick();
        Files.setLastModifiedTime(file, FileTime.from(Instant.now()));
        server.executor.tick();
        server.executor.tick();
        assertThat(ask("alice:correct horse")).isDone();
    }

    @Test
    void changeWithinTheSameInstantIsSeen() throws IOException {
        FileTime now = FileTime.from(Instant.now());
        Files.writeString(file, "alice:" + ALICE + "\n");
        Files.setLastModifiedTime(file, now);
        server.executor.tick();
        Files.writeString(file, "carol:" + ALICE + "\n");
        Files.setLastModifiedTime(file, now);
        server.executor.tick();
        assertThat(answer("carol:correct horse")).isEqualTo(200);
    }

    @Test
    void verificationAgainstTheOldFileIsNotRememberedNorJoined() throws IOException {
        CompletableFuture<AuthDecision> before = ask("alice:correct horse");
        write("bob:" + BOB + "\n");
        server.executor.tick();
        CompletableFuture<AuthDecision> after = ask("192.0.2.2", "alice:correct horse");
        server.executor.runAll();
        assertThat(status(before)).isEqualTo(200);
        assertThat(status(after)).isEqualTo(401);
        assertThat(answer("alice:correct horse")).isEqualTo(401);
    }

    @Test
    void brokenOrMissingFileLeavesTheUsersAsTheyWere() throws IOException {
        write("alice\n");
        server.executor.tick();
        assertThat(answer("alice:correct horse")).isEqualTo(200);
        Files.delete(file);
        server.executor.tick();
        assertThat(answer("bob:battery:staple")).isEqualTo(200);
        write("carol:" + ALICE + "\n");
        server.executor.tick();
        assertThat(answer("carol:correct horse")).isEqualTo(200);
        assertThat(answer("alice:correct horse")).isEqualTo(401);
    }

    @Test
    void fileCaughtEmptyOrCutLeavesTheUsersAsTheyWere() throws IOException {
        for (String caught : List.of("", "# our users\n", "bob:" + BOB, "bob:" + BOB + "\nalice:" + ALICE)) {
            write(caught);
            server.executor.tick();
            assertThat(answer("alice:correct horse")).as(caught).isEqualTo(200);
            assertThat(answer("bob:battery:staple")).as(caught).isEqualTo(200);
        }
        write("bob:" + BOB + "\n");
        server.executor.tick();
        assertThat(answer("bob:battery:staple")).isEqualTo(200);
        assertThat(answer("alice:correct horse")).isEqualTo(401);
    }

    @Test
    void changedFileWithAUserWhoCantBeSentIsRefusedAsAWhole() throws IOException {
        server.knows(BOB, "b").sender = "route all sends them in X-Who";
        write("alice:" + BOB + "\nb\u00f6b:" + ALICE + "\ncarol:" + ALICE + "\n");
        server.executor.tick();
        server.executor.tick();
        assertThat(answer("alice:correct horse")).isEqualTo(200);
        assertThat(answer("alice:b")).isEqualTo(401);
        assertThat(answer("carol:correct horse")).isEqualTo(401);
        assertThatIllegalArgumentException()
                .as("of another server with the same instance")
                .isThrownBy(() -> auth.start(new FakeServer().executor))
                .withMessage("htpasswd: " + file + ", line 2, user b?b (expected: users of visible ASCII characters,"
                        + " for route all sends them in X-Who)");
        write("alice:" + ALICE + "\nbob:" + BOB + "\ncarol:" + ALICE + "\n");
        server.executor.tick();
        assertThat(answer("carol:correct horse")).isEqualTo(200);
    }

    @Test
    void refusedFileIsTakenOnceItsUsersArentSentAnyMore() throws IOException {
        server.sender = "route all sends them in X-Who";
        write("b\u00f6b:" + ALICE + "\n");
        server.executor.tick();
        assertThat(answer("b\u00f6b:correct horse")).isEqualTo(401);
        server.sender = null;
        server.executor.tick();
        assertThat(answer("b\u00f6b:correct horse")).isEqualTo(200);
        assertThat(answer("alice:correct horse")).isEqualTo(401);
    }

    @Test
    void startedServerThatCantSendTheUsersLeavesNothingBehind() throws IOException {
        write("b\u00f6b:" + ALICE + "\n");
        server.executor.tick();
        FakeServer sending = new FakeServer();
        sending.sender = "route all sends them in X-Who";
        assertThatIllegalArgumentException().isThrownBy(() -> auth.start(sending.executor));
        write("c\u00e9:" + ALICE + "\n");
        server.executor.tick();
        assertThat(answer("c\u00e9:correct horse")).isEqualTo(200);
    }

    @Test
    void sameUsersWithoutALineEndAreNoChange() throws IOException {
        write("alice:" + ALICE + "\nbob:" + BOB);
        server.executor.tick();
        assertThat(answer("alice:correct horse")).isEqualTo(200);
    }

    @Test
    void fileWithoutAUserIsRefusedAtStart() throws IOException {
        Path empty = Files.writeString(directory.resolve("empty"), "# nobody yet\n");
        BasicAuth closed = BasicAuth.htpasswd(empty);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> closed.start(server.executor))
                .withMessage("htpasswd: " + empty + " has no user (expected: user:hash lines; add one by htpasswd -B)");
    }

    @Test
    void passwordAboveThe72BytesOfBcryptIsRefusedWithoutHashing() {
        String most = "x".repeat(72);
        server.knows(ALICE, most);
        assertThat(answer("alice:" + most + "y")).isEqualTo(401);
        assertThat(server.hashed).hasValue(0);
        assertThat(answer("alice:" + most)).isEqualTo(200);
        assertThat(answer("alice:" + "x".repeat(70) + "üx")).isEqualTo(401);
        assertThat(server.hashed).hasValue(1);
    }

    @Test
    void missingFileIsSaidAtStart() {
        BasicAuth missing = BasicAuth.htpasswd(directory.resolve("none"));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> missing.start(server.executor))
                .withMessage("htpasswd: " + directory.resolve("none")
                        + " doesn't exist (expected: a file made with htpasswd -B)");
    }

    @Test
    void instanceOfTwoServersHashesWhereOneStillRuns() {
        FakeServer second = new FakeServer().knows(ALICE, "correct horse");
        auth.start(second.executor);
        CompletableFuture<AuthDecision> waiting = ask("alice:correct horse");
        assertThat(second.executor.waiting()).isEqualTo(1);

        auth.stop();
        second.executor.shutdownNow();

        assertThat(status(waiting)).isEqualTo(503);
        assertThat(answer("alice:correct horse")).isEqualTo(200);
        assertThat(server.executor.repeating()).isEqualTo(1);
    }

    @Test
    void stoppedOneForgetsAndCanStartAgain() {
        assertThat(answer("alice:correct horse")).isEqualTo(200);
        auth.stop();
        assertThat(server.executor.repeating()).isZero();
        assertThat(answer("alice:correct horse")).isEqualTo(503);
        auth.start(server.executor);
        assertThat(answer("alice:correct horse")).isEqualTo(200);
        assertThat(server.hashed).hasValue(2);
    }

    @Test
    void verificationThatAnEndedExecutorDroppedIsAnswered() {
        FakeServer second = new FakeServer();
        auth.start(second.executor);
        CompletableFuture<AuthDecision> lost = ask("alice:correct horse");
        second.executor.shutdownNow();
        second.pass(Duration.ofSeconds(31));
        server.executor.tick();
        assertThat(status(lost)).isEqualTo(503);
    }

    @Test
    void toStringNamesTheFile() {
        assertThat(auth).hasToString("BasicAuth(htpasswd=" + file + ", realm=Restricted)");
    }
}
