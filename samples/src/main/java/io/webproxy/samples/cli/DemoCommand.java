package io.webproxy.samples.cli;

import io.webproxy.samples.demo.DemoService;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The demo service and a proxy in front of it. */
@Command(
        name = "demo",
        description = "Exposes a demo service: HTTP, server-sent events, WebSocket, downloads and uploads.",
        sortOptions = false,
        abbreviateSynopsis = true)
final class DemoCommand implements Callable<Integer> {
    @Option(
            names = "--external-port",
            paramLabel = "PORT",
            defaultValue = "8443",
            converter = Numbers.Port.class,
            description = "The port to open, 0 for any free one; default: ${DEFAULT-VALUE}.")
    private int externalPort;

    @Mixin
    private EndpointOptions front = new EndpointOptions();

    @Spec
    private CommandSpec command = CommandSpec.create();

    @Override
    public Integer call() {
        try (DemoService service = DemoService.start()) {
            return front.serve(
                    command,
                    externalPort,
                    builder -> builder.forward("http://127.0.0.1:" + service.port()),
                    service::show,
                    service::endStreams);
        }
    }
}
