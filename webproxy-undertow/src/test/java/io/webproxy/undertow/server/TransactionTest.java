package io.webproxy.undertow.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.webproxy.ProxyConfig;
import io.webproxy.ProxyServer;
import io.webproxy.ProxyStartException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class TransactionTest {
    private static final ProxyConfig CONFIG =
            ProxyServer.builder().http(0).forward("http://127.0.0.1:1").build();

    private final List<String> steps = new ArrayList<>();
    private final List<Recorded> parts = List.of(new Recorded("a"), new Recorded("b"), new Recorded("c"));
    private final Transaction transaction = new Transaction(List.copyOf(parts));

    /** A part that says what is done to it, and then throws what it is told to. */
    private final class Recorded implements Part, Change {
        private final String name;
        private @Nullable Throwable atPrepare;
        private @Nullable Throwable atCommit;
        private @Nullable Throwable atRollBack;
        private @Nullable Throwable atFinish;
        private Runnable whilePreparing = () -> {};

        Recorded(String name) {
            this.name = name;
        }

        private void step(String what, @Nullable Throwable thrown) {
            steps.add(what + " " + name);
            if (thrown != null) {
                throw TransactionTest.<RuntimeException>unchecked(thrown);
            }
        }

        @Override
        public Change prepare(ProxyConfig next) {
            assertThat(next).isSameAs(CONFIG);
            whilePreparing.run();
            step("prepare", atPrepare);
            return this;
        }

        @Override
        public void commit() {
            step("commit", atCommit);
        }

        @Override
        public void rollBack() {
            step("roll back", atRollBack);
        }

        @Override
        public void finish() {
            step("finish", atFinish);
        }
    }

    /** As other languages do, which know no checked exceptions. */
    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    private static <T extends Throwable> T unchecked(Throwable thrown) throws T {
        throw (T) thrown;
    }

    @Test
    void allPrepareThenAllCommitThenAllFinish() {
        assertThat(transaction.apply(CONFIG)).isNull();
        assertThat(steps)
                .containsExactly(
                        "prepare a",
                        "prepare b",
                        "prepare c",
                        "commit a",
                        "commit b",
                        "commit c",
                        "finish a",
                        "finish b",
                        "finish c");
    }

    static Stream<Arguments> failures() {
        return Stream.of(0, 1, 2)
                .flatMap(position -> Stream.of(
                                new ProxyStartException("Port 80 is already in use."),
                                new IllegalStateException("unchecked"),
                                new IOException("checked"),
                                new NoClassDefFoundError("an error"),
                                new StackOverflowError("of the machine"))
                        .map(thrown -> Arguments.of(position, thrown)));
    }

    @ParameterizedTest
    @MethodSource("failures")
    void partThatCannotPrepareRollsBackThoseBeforeItTheLastOneFirst(int position, Throwable thrown) {
        parts.get(position).atPrepare = thrown;
        assertThat(catchThrowable(() -> transaction.apply(CONFIG))).isSameAs(thrown);
        assertThat(thrown.getSuppressed()).isEmpty();
        assertThat(steps)
                .isEqualTo(List.of(
                                List.of("prepare a"),
                                List.of("prepare a", "prepare b", "roll back a"),
                                List.of("prepare a", "prepare b", "prepare c", "roll back b", "roll back a"))
                        .get(position));
        // the next one finds nothing of it
        steps.clear();
        parts.get(position).atPrepare = null;
        assertThat(transaction.apply(CONFIG)).isNull();
        assertThat(steps).hasSize(9);
    }

    @Test
    void rollBackThatFailsHidesNothingAndStopsNoOther() {
        Throwable cause = new IllegalStateException("cause");
        Throwable first = new IOException("roll back b");
        parts.get(2).atPrepare = cause;
        parts.get(1).atRollBack = first;
        // a part may well throw the same thing twice
        parts.get(0).atRollBack = cause;
        assertThat(catchThrowable(() -> transaction.apply(CONFIG))).isSameAs(cause);
        assertThat(cause.getSuppressed()).containsExactly(first);
        assertThat(steps).endsWith("roll back b", "roll back a");
    }

    @Test
    void whatCommitsThrowKeepsNoOtherFromBeingInForce() {
        Throwable first = new IllegalStateException("commit a");
        Throwable second = new NoClassDefFoundError("finish c");
        parts.get(0).atCommit = first;
        parts.get(2).atFinish = second;
        assertThat(transaction.apply(CONFIG)).isSameAs(first).hasSuppressedException(second);
        assertThat(steps).hasSize(9).noneMatch(step -> step.startsWith("roll back"));
    }

    @Test
    void closedOneChangesNothing() {
        transaction.close();
        assertThatThrownBy(() -> transaction.apply(CONFIG))
                .isInstanceOf(ProxyStartException.class)
                .hasMessage("The server is closed: start another one.");
        assertThat(steps).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 2})
    void whatIsPreparedWhenItClosesIsRolledBack(int position) {
        parts.get(position).whilePreparing = transaction::close;
        assertThatThrownBy(() -> transaction.apply(CONFIG))
                .isInstanceOf(ProxyStartException.class)
                .hasMessage("The server is closed: start another one.");
        assertThat(steps)
                .containsExactly("prepare a", "prepare b", "prepare c", "roll back c", "roll back b", "roll back a");
    }
}
