package io.webproxy.samples.cli;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Ends the JVM if an orderly end takes too long, or when a second signal arrives. Its thread is started early, because
 * a JVM without memory can't start another one.
 */
final class LastResort implements AutoCloseable {
    private static final int FAILED = 1;
    /** Added to the signal's number, as shells report a process that a signal has ended. */
    private static final int SIGNALLED = 128;

    private final CountDownLatch ending = new CountDownLatch(1);
    private final Duration limit;
    private final Thread thread;

    /** {@code limit}: how long the orderly end may take. */
    LastResort(Duration limit) {
        this.limit = limit;
        this.thread = new Thread(this::await, "webproxy-last-resort");
        thread.setDaemon(true);
        thread.start();
    }

    /** It isn't needed: the server has stopped, and the JVM may go on. */
    @Override
    public void close() {
        thread.interrupt();
    }

    private void await() {
        try {
            ending.await();
            TimeUnit.NANOSECONDS.sleep(limit.toNanos());
            Runtime.getRuntime().halt(FAILED);
        } catch (InterruptedException e) {
            // closed
        }
    }

    /** The orderly end begins. */
    void ending() {
        ending.countDown();
    }

    /** From now on a signal ends the JVM at once, with 143 for SIGTERM and 130 for SIGINT. */
    static void onNextSignal() {
        for (String name : List.of("TERM", "INT")) {
            try {
                haltOn(name);
            } catch (ReflectiveOperationException | IllegalArgumentException e) {
                // another JVM, or one that leaves signals alone: then only the time limit ends it
            }
        }
    }

    /** Not part of Java SE: used by reflection, so that it may be missing. */
    private static void haltOn(String name) throws ReflectiveOperationException {
        Class<?> signal = Class.forName("sun.misc.Signal");
        Class<?> handler = Class.forName("sun.misc.SignalHandler");
        Object wanted = signal.getConstructor(String.class).newInstance(name);
        int number = (int) signal.getMethod("getNumber").invoke(wanted);
        Object halt = Proxy.newProxyInstance(
                LastResort.class.getClassLoader(), new Class<?>[] {handler}, (self, method, args) -> {
                    if (method.getName().equals("handle")) {
                        Runtime.getRuntime().halt(SIGNALLED + number);
                    }
                    return null;
                });
        try {
            signal.getMethod("handle", signal, handler).invoke(null, wanted, halt);
        } catch (InvocationTargetException e) {
            throw new IllegalArgumentException(e.getCause());
        }
    }
}
