package io.webproxy.undertow.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** What data connections prove that they were asked for. */
class TokensTest {
    private static final String ALICE = "sha256:" + "a1".repeat(32);
    private static final String BOB = "sha256:" + "b2".repeat(32);
    private static final UUID INSTANCE = new UUID(1, 2);

    private final AtomicLong clock = new AtomicLong(-5);
    private final Tokens<String> tokens = new Tokens<>(clock::get);

    private static byte[] proof(Tokens.Token token, String fingerprint, UUID instance) {
        return Tokens.proof(token.token(), token.id(), fingerprint, instance);
    }

    @Test
    void tokenIsGoodOnce() {
        Tokens.Token token = tokens.issue(ALICE, INSTANCE, "visitor");
        byte[] proof = proof(token, ALICE, INSTANCE);
        assertThat(tokens.redeem(token.id(), proof)).isEqualTo("visitor");
        assertThat(tokens.redeem(token.id(), proof)).as("replayed").isNull();
        assertThat(tokens.count()).isZero();
    }

    @Test
    void tokenIsOfNoUseToAnotherAgentOrInstanceAndStaysGoodForItsOwn() {
        Tokens.Token token = tokens.issue(ALICE, INSTANCE, "visitor");
        assertThat(tokens.redeem(token.id(), proof(token, BOB, INSTANCE))).isNull();
        assertThat(tokens.redeem(token.id(), proof(token, ALICE, new UUID(1, 3))))
                .isNull();
        assertThat(tokens.redeem(token.id() + 1, proof(token, ALICE, INSTANCE))).isNull();
        assertThat(tokens.redeem(token.id(), new byte[32])).as("guessed").isNull();
        assertThat(tokens.redeem(token.id(), token.token()))
                .as("the token itself")
                .isNull();
        assertThat(tokens.redeem(token.id(), new byte[0])).isNull();
        assertThat(tokens.redeem(token.id(), proof(token, ALICE, INSTANCE))).isEqualTo("visitor");
    }

    @Test
    void tokenExpires() {
        Tokens.Token token = tokens.issue(ALICE, INSTANCE, "visitor");
        Tokens.Token other = tokens.issue(ALICE, INSTANCE, "other");
        clock.addAndGet(Tokens.LIMIT_NANOS - 1);
        assertThat(tokens.redeem(other.id(), proof(other, ALICE, INSTANCE))).isEqualTo("other");
        clock.incrementAndGet();
        assertThat(tokens.redeem(token.id(), proof(token, ALICE, INSTANCE))).isNull();
    }

    @Test
    void ofAThousandRedemptionsAtOnceExactlyOneWins() throws Exception {
        int threads = 8;
        ExecutorService executor = Executors.newFixedThreadPool(threads);
        try {
            for (int round = 0; round < 20; round++) {
                Tokens.Token token = tokens.issue(ALICE, INSTANCE, "visitor");
                byte[] proof = proof(token, ALICE, INSTANCE);
                CyclicBarrier together = new CyclicBarrier(threads);
                List<Future<Integer>> wins = new ArrayList<>();
                for (int i = 0; i < threads; i++) {
                    wins.add(executor.submit(() -> {
                        together.await();
                        int won = 0;
                        for (int n = 0; n < 125; n++) {
                            won += tokens.redeem(token.id(), proof) == null ? 0 : 1;
                        }
                        return won;
                    }));
                }
                int won = 0;
                for (Future<Integer> each : wins) {
                    won += each.get();
                }
                assertThat(won).isEqualTo(1);
            }
        } finally {
            executor.shutdownNow();
        }
    }
}
