package io.webproxy.undertow.testing;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A test of a {@link Front}, for HTTP/1.1 in cleartext and HTTP/2 over TLS: the TLS engine doesn't matter to what it
 * tests.
 */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@ParameterizedTest
@EnumSource(
        value = Front.class,
        names = {"H1", "H2_TLS"})
public @interface OverBothVersions {}
