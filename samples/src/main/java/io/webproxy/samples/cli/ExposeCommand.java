package io.webproxy.samples.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Puts a proxy in front of a running service. */
@Command(
        name = "expose",
        description = "Exposes a service that runs on this machine or elsewhere.",
        sortOptions = false,
        abbreviateSynopsis = true)
final class ExposeCommand implements Callable<Integer> {
    @Option(
            names = "--external-port",
            paramLabel = "PORT",
            required = true,
            converter = Numbers.Port.class,
            description = "The port to open, 0 for any free one.")
    private int externalPort;

    @Mixin
    private ServiceOptions service = new ServiceOptions();

    @Mixin
    private EndpointOptions front = new EndpointOptions();

    @Spec
    private CommandSpec command = CommandSpec.create();

    @Override
    public Integer call() {
        return front.serve(command, externalPort, service::applyTo, proxy -> {}, () -> {});
    }
}
