package io.webproxy.samples.cli;

import io.webproxy.samples.demo.DemoService;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The demo service alone, for measurements with the proxy in a JVM of its own. */
@Command(name = "service", hidden = true, description = "Runs the demo service without a proxy.")
final class ServiceCommand implements Callable<Integer> {
    @Option(
            names = "--internal-port",
            paramLabel = "PORT",
            defaultValue = "0",
            converter = Numbers.Port.class,
            description = "The port to open on 127.0.0.1, 0 for any free one; default: ${DEFAULT-VALUE}.")
    private int internalPort;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() {
        CountDownLatch closed = new CountDownLatch(1);
        try (DemoService service = DemoService.start(internalPort)) {
            return Foreground.serve(
                    spec.commandLine().getOut(),
                    "http://127.0.0.1:" + service.port() + "/",
                    () -> {},
                    closed::countDown,
                    Duration.ZERO,
                    closed::await);
        }
    }
}
