package io.webproxy.testing;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Repeatable;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Declares a WARN or ERROR line that {@link LeakCheck} would otherwise fail the test for.
 *
 * <p>On a method the line is expected: the test fails if it does not come. On a class it is allowed in each test.
 */
@Documented
@Target({ElementType.METHOD, ElementType.TYPE})
@Retention(RetentionPolicy.RUNTIME)
@Repeatable(ExpectedLog.List.class)
public @interface ExpectedLog {
    /** The logger's name or a package above it; empty: any logger. */
    String logger() default "";

    /** A part of the message, or of a throwable's class or message; empty: any. */
    String contains() default "";

    /** More than one. */
    @Documented
    @Target({ElementType.METHOD, ElementType.TYPE})
    @Retention(RetentionPolicy.RUNTIME)
    @interface List {
        /** The lines. */
        ExpectedLog[] value();
    }
}
