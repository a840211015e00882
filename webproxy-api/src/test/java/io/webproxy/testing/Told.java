package io.webproxy.testing;

import io.webproxy.observe.ProxyObserver;
import java.lang.reflect.Proxy;
import java.util.Objects;
import java.util.function.Consumer;

/** One call of an observer. */
public record Told(String method, Object event) {
    /** An observer that overrides every method, and passes on each call. */
    public static ProxyObserver to(Consumer<Told> calls) {
        return (ProxyObserver) Proxy.newProxyInstance(
                Told.class.getClassLoader(),
                new Class<?>[] {ProxyObserver.class},
                (observer, method, arguments) -> switch (method.getName()) {
                    case "equals" -> observer == arguments[0];
                    case "hashCode" -> System.identityHashCode(observer);
                    case "toString" -> "an observer of a test";
                    case "dropped" -> 0L;
                    default -> {
                        calls.accept(new Told(method.getName(), Objects.requireNonNull(arguments)[0]));
                        yield null;
                    }
                });
    }

    /** The event, which has this type. */
    public <T> T as(Class<T> type) {
        return type.cast(event);
    }
}
