package io.webproxy.observe;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ForwardErrorTest {
    @ParameterizedTest
    @EnumSource
    void eachSaysWhatAPersonWouldDoNext(ForwardError error) {
        assertThat(error.advice())
                .matches("[a-z][^.\\n]{20,}")
                .as("its own")
                .isNotIn(Arrays.stream(ForwardError.values())
                        .filter(other -> other != error)
                        .map(ForwardError::advice)
                        .collect(Collectors.toSet()));
    }
}
