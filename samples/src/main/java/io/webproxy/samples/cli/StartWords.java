package io.webproxy.samples.cli;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Explains a failed start in terms of command line options, where the library names its methods. */
final class StartWords {
    private static final Pattern PORT = Pattern.compile("Port ([0-9]+) .*");

    private final String port;
    private final @Nullable Integer httpPort;

    /** For a server whose port is set by this option; with this port for redirects, null for none. */
    StartWords(String port, @Nullable Integer httpPort) {
        this.port = port;
        this.httpPort = httpPort;
    }

    /** The same for a problem of the configuration. */
    static String ofProblem(String problem) {
        return problem.replaceFirst("^listen [0-9]+: (.*loopbackSource: )", "--loopback-source: ")
                .replaceFirst("^listen [0-9]+: ", "rule ");
    }

    String of(String sentence) {
        Matcher taken = PORT.matcher(sentence);
        if (taken.matches()) {
            String option = httpPort != null && taken.group(1).equals(httpPort.toString()) ? "--http-port" : port;
            return sentence.replace("choose another port", "choose another " + option)
                    .replace("choose a port above", "choose a " + option + " above");
        }
        return sentence.replace("Certificates.pem(certificates, key, password)", "--key-password PASSWORD")
                .replace("Certificates.pkcs12(file, password)", "--keystore-password PASSWORD")
                .replace(", or jdkTls(true)", "")
                .replaceFirst("^bind: ", "--bind: ")
                .replaceFirst("^htpasswd: ", "--htpasswd: ")
                .replaceFirst("^selfSigned: ", "--self-signed: ")
                .replaceFirst("^trust: ", "--acme-ca: ");
    }
}
