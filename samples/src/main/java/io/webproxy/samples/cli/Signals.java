package io.webproxy.samples.cli;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.function.IntConsumer;

/**
 * Handlers of the process's signals. They aren't part of Java SE: they are used by reflection, so that they may be
 * missing.
 */
final class Signals {
    private Signals() {}

    /** A handler in force; closing it puts the one before in its place. */
    @FunctionalInterface
    interface Handler extends AutoCloseable {
        @Override
        void close();
    }

    /**
     * Handles a signal from now on, on a thread of the JVM. Nothing happens in a JVM that has no such signals, or
     * leaves them alone.
     *
     * @param name such as {@code TERM}
     * @param action receives the signal's number
     */
    static Handler handle(String name, IntConsumer action) {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Object wanted = signal.getConstructor(String.class).newInstance(name);
            int number = (int) signal.getMethod("getNumber").invoke(wanted);
            Object ours = Proxy.newProxyInstance(
                    Signals.class.getClassLoader(), new Class<?>[] {handler}, (self, method, args) -> {
                        if (method.getName().equals("handle")) {
                            action.accept(number);
                        }
                        return null;
                    });
            Object before = set(signal, handler, wanted, ours);
            return () -> {
                try {
                    set(signal, handler, wanted, before);
                } catch (ReflectiveOperationException | IllegalArgumentException e) {
                    // what could be set once can be set again
                }
            };
        } catch (ReflectiveOperationException | IllegalArgumentException e) {
            return () -> {};
        }
    }

    private static Object set(Class<?> signal, Class<?> handler, Object which, Object action)
            throws ReflectiveOperationException {
        try {
            return signal.getMethod("handle", signal, handler).invoke(null, which, action);
        } catch (InvocationTargetException e) {
            throw new IllegalArgumentException(e.getCause());
        }
    }
}
