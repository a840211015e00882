package io.webproxy.undertow.deadline;

import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.xnio.XnioExecutor;
import org.xnio.XnioIoThread;

/** Tasks for IO threads from code that may outlive them. */
public final class IoTasks {
    private IoTasks() {}

    /** Runs a task on a thread; a thread that is ending drops it, because everything on it is being closed anyway. */
    public static void execute(XnioIoThread thread, Runnable task) {
        try {
            thread.execute(task);
        } catch (RejectedExecutionException e) {
            // the server is closing
        }
    }

    /** The same, but later; what is given takes it back. */
    public static XnioExecutor.Key executeAfter(XnioIoThread thread, Runnable task, long millis) {
        try {
            return thread.executeAfter(task, millis, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            // the server is closing
            return () -> false;
        }
    }
}
