package io.webproxy.undertow.canary;

import java.lang.reflect.Proxy;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Interfaces of the stock parts, with the few methods that a test needs; all others do nothing, and give 0, false or
 * null.
 */
final class Stub {
    private static final Map<Class<?>, Object> ZEROES = Map.of(boolean.class, false, int.class, 0, long.class, 0L);

    /** What a method does. */
    interface Answer {
        @Nullable Object to(@Nullable Object[] arguments) throws Throwable;
    }

    private Stub() {}

    /** An object of a type, whose methods of these names do something. */
    static <T> T of(Class<T> type, Map<String, Answer> answers) {
        Object stub =
                Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (self, method, arguments) -> {
                    Answer answer = answers.get(method.getName());
                    return answer == null ? ZEROES.get(method.getReturnType()) : answer.to(arguments);
                });
        return type.cast(stub);
    }
}
