package io.webproxy.samples.cli;

import io.webproxy.tunnel.Announcement;
import io.webproxy.tunnel.Tunnel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Makes the key of an agent, and prints its line for the agents file. */
@Command(
        name = "agent-key",
        description = "Makes the key of a private proxy, and prints its line for the public proxy's agents file.",
        sortOptions = false,
        abbreviateSynopsis = true)
final class AgentKeyCommand implements Callable<Integer> {
    @Option(
            names = "--name",
            paramLabel = "NAME",
            required = true,
            description = "What the agent is called; the files are DIR/NAME.key and DIR/NAME.crt.")
    private String name = "";

    @Option(names = "--out", paramLabel = "DIR", required = true, description = "The directory of the files.")
    private Path directory = Path.of("");

    @Option(
            names = "--names",
            paramLabel = "PATTERN",
            split = ",",
            description = "The server names that the agent may announce, such as db.example.com or *.example.com,"
                    + " separated by commas.")
    private List<String> names = new ArrayList<>();

    @Option(
            names = "--ports",
            paramLabel = "PORT",
            split = ",",
            description = "The ports of the public proxy that it may announce, such as 6022 or 6000-6010, separated by"
                    + " commas.")
    private List<String> ports = new ArrayList<>();

    @Option(names = "--shared", description = "Other agents with this word may announce the same.")
    private boolean shared;

    @Spec
    private CommandSpec command = CommandSpec.create();

    @Override
    public Integer call() {
        try {
            names.forEach(each -> Complaint.of("--names", () -> Announcement.https(each)));
            ports.forEach(AgentKeyCommand::checkPort);
            if (!name.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,63}")) {
                throw Complaint.wrong("--name", name, "1-64 letters, digits, dots, hyphens or underscores");
            }
        } catch (IllegalArgumentException e) {
            throw new ParameterException(command.commandLine(), String.valueOf(e.getMessage()), e);
        }
        String fingerprint = Tunnel.createKey(directory, name);
        command.commandLine().getOut().println(line(fingerprint));
        command.commandLine().getOut().flush();
        return 0;
    }

    private static void checkPort(String range) {
        String[] ends = range.split("-", 2);
        try {
            int first = Integer.parseInt(ends[0]);
            int last = Integer.parseInt(ends[ends.length - 1]);
            if (first >= 1 && first <= last && last <= 65535) {
                return;
            }
        } catch (NumberFormatException e) {
            // reported below
        }
        throw Complaint.wrong("--ports", range, "a port such as 6022, or ports such as 6000-6010");
    }

    private String line(String fingerprint) {
        StringBuilder line = new StringBuilder(name).append(' ').append(fingerprint);
        if (!names.isEmpty() || ports.isEmpty()) {
            // an agent without ports is useless without names: the operator adds them
            line.append(" names=").append(String.join(",", names));
        }
        if (!ports.isEmpty()) {
            line.append(" ports=").append(String.join(",", ports));
        }
        return line.append(shared ? " shared" : "").toString();
    }
}
