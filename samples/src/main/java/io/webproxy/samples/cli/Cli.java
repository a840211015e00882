package io.webproxy.samples.cli;

import java.io.PrintWriter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;

/**
 * The command line with all commands. An error is one sentence on standard error; the exit status is 2 for wrong
 * arguments, else 1.
 */
@Command(
        name = "webproxy",
        description = "Exposes a service by HTTPS, several protocols on one port, or a service that only dials out.",
        subcommands = {
            ExposeCommand.class,
            PortCommand.class,
            PublicProxyCommand.class,
            PrivateProxyCommand.class,
            AgentKeyCommand.class,
            DemoCommand.class,
            ServiceCommand.class
        },
        mixinStandardHelpOptions = true,
        versionProvider = Cli.Version.class,
        scope = ScopeType.INHERIT)
public final class Cli {
    private static final Logger LOG = LoggerFactory.getLogger(Cli.class);

    private Cli() {}

    /** The command line, ready to execute. */
    public static CommandLine commandLine() {
        return new CommandLine(new Cli())
                .setExpandAtFiles(false)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setParameterExceptionHandler((e, args) -> wrongArguments(e))
                .setExecutionExceptionHandler((e, command, parsed) -> failed(e, command));
    }

    private static int wrongArguments(ParameterException e) {
        CommandLine command = e.getCommandLine();
        complain(
                command,
                Complaint.sentence(e) + " (see " + command.getCommandSpec().qualifiedName() + " --help)");
        return ExitCode.USAGE;
    }

    private static int failed(Exception e, CommandLine command) {
        LOG.debug("Failed", e);
        complain(command, Complaint.oneLine(e));
        return ExitCode.SOFTWARE;
    }

    private static void complain(CommandLine command, String sentence) {
        PrintWriter err = command.getErr();
        err.println("webproxy: " + sentence);
        err.flush();
    }

    /** The version of the jar. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = Cli.class.getPackage().getImplementationVersion();
            return new String[] {"webproxy " + (version == null ? "(not from a jar)" : version)};
        }
    }
}
