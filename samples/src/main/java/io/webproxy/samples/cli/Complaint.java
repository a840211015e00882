package io.webproxy.samples.cli;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.OverwrittenOptionException;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.TypeConversionException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Reports wrong arguments in one form: {@code --option: value (expected: …)}. */
final class Complaint {
    /** Names of the same option in other programs, or in other commands of this one. */
    private static final Map<String, List<String>> ELSEWHERE = Map.of(
            "--ssl", List.of("--tls"),
            "--anyprot", List.of("--otherwise"),
            "--transparent", List.of("--loopback-source"),
            "--external-port", List.of("--listen"),
            "--listen", List.of("--external-port"));
    /** How many letters of an option may differ. */
    private static final int TYPOS = 2;

    private Complaint() {}

    /** Runs a library call with an option's value; attributes its refusal to the option. */
    static <T> T of(String option, Supplier<T> call) {
        try {
            return call.get();
        } catch (IllegalArgumentException e) {
            String message = String.valueOf(e.getMessage());
            int name = message.indexOf(": ");
            throw new IllegalArgumentException(option + (name < 0 ? ": " + message : message.substring(name)), e);
        }
    }

    /** An option's value is wrong. */
    static IllegalArgumentException wrong(String option, String value, String expected) {
        return new IllegalArgumentException(option + ": " + value + " (expected: " + expected + ")");
    }

    /** One sentence. */
    static String sentence(ParameterException e) {
        if (e instanceof UnmatchedArgumentException unmatched) {
            return unmatched(unmatched);
        }
        if (e instanceof MissingParameterException missing) {
            return missing(missing);
        }
        if (e instanceof OverwrittenOptionException twice) {
            return name(twice.getOverwritten()) + ": given twice (expected: once)";
        }
        if (e.getArgSpec() != null && e.getCause() instanceof TypeConversionException range) {
            return name(e.getArgSpec()) + ": " + e.getValue() + " (expected: " + expected(e.getArgSpec(), range) + ")";
        }
        if (String.valueOf(e.getMessage()).startsWith("Missing required subcommand")) {
            return "There is no command (expected: expose, port, public-proxy, private-proxy, agent-key or demo)";
        }
        return oneLine(e);
    }

    static String oneLine(Exception e) {
        String message = e.getMessage();
        return message == null ? e.toString() : message.strip().replaceAll("\\s*\\R\\s*", "; ");
    }

    private static String expected(ArgSpec option, TypeConversionException range) {
        Class<?> type = option.type();
        if (type.isEnum()) {
            return Stream.of(type.getEnumConstants())
                    .map(constant -> constant.toString().toLowerCase(Locale.ROOT))
                    .collect(Collectors.joining(", "));
        }
        return option.arity().max() == 0 ? "no value" : String.valueOf(range.getMessage());
    }

    private static String missing(MissingParameterException e) {
        boolean option = String.valueOf(e.getMessage()).startsWith("Missing required option");
        return e.getMissing().stream()
                .map(each -> name(each) + (option ? ": missing" : ": no value") + " (expected: " + name(each) + " "
                        + each.paramLabel() + ")")
                .collect(Collectors.joining("; "));
    }

    /** Names options only: the text after an unknown one may be a secret after a misspelt option. */
    private static String unmatched(UnmatchedArgumentException e) {
        if (e.getCommandLine().getParent() == null && !e.getUnmatched().get(0).startsWith("-")) {
            return "There is no such command (expected: expose, port, public-proxy, private-proxy, agent-key or demo)";
        }
        List<String> options = e.getUnmatched().stream()
                .filter(argument -> argument.startsWith("-"))
                .map(argument -> argument.replaceFirst("=.*", ""))
                .toList();
        if (options.isEmpty()) {
            return "There is an argument that belongs to no option";
        }
        return "Unknown option " + String.join(", ", options) + similar(e, options);
    }

    private static String similar(UnmatchedArgumentException e, List<String> options) {
        if (options.size() > 1) {
            return "";
        }
        String option = options.get(0);
        Set<String> known = e.getCommandLine().getCommandSpec().optionsMap().keySet();
        Stream<String> nearest = known.stream()
                .filter(each -> each.startsWith("--") && changes(option, each) <= TYPOS)
                .sorted(Comparator.comparingInt(each -> changes(option, each)));
        return Stream.of(ELSEWHERE.getOrDefault(option, List.of()).stream(), nearest, e.getSuggestions().stream())
                .flatMap(each -> each)
                .filter(known::contains)
                .findFirst()
                .map(alike -> " (did you mean " + alike + "?)")
                .orElse("");
    }

    /** The edit distance of two words: letters inserted, deleted or replaced. */
    private static int changes(String one, String other) {
        int[] row = IntStream.rangeClosed(0, other.length()).toArray();
        for (int i = 1; i <= one.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= other.length(); j++) {
                int replaced = diagonal + (one.charAt(i - 1) == other.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[other.length()];
    }

    private static String name(ArgSpec argument) {
        return argument instanceof OptionSpec option ? option.longestName() : argument.paramLabel();
    }
}
