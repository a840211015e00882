package io.webproxy.undertow.testing;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A test of a {@link Front}, for each of HTTP/1.1: HTTP/2 doesn't have what it tests, or has a test of its own. */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@ParameterizedTest
@EnumSource(
        value = Front.class,
        names = {"H1", "H1_TLS", "H1_TLS_JDK"})
public @interface OverHttp1 {}
