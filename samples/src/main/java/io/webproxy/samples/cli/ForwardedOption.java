package io.webproxy.samples.cli;

import io.webproxy.ProxyConfig;
import io.webproxy.http.ForwardedHeaders;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The option for the fields that tell the service about its clients. */
final class ForwardedOption {
    private static final String NAME = "--forwarded-headers";

    @Option(
            names = NAME,
            paramLabel = "WHICH",
            description = "Which header fields tell the service about the client: all, x-forwarded (X-Forwarded-* and"
                    + " X-Real-IP, no Forwarded) or none; default: all.")
    private @Nullable String which;

    void applyTo(ProxyConfig.Builder builder) {
        if (which != null) {
            builder.forwardedHeaders(
                    switch (which.toLowerCase(Locale.ROOT)) {
                        case "all" -> ForwardedHeaders.all();
                        case "x-forwarded" -> ForwardedHeaders.xForwarded();
                        case "none" -> ForwardedHeaders.none();
                        default -> throw Complaint.wrong(NAME, which, "all, x-forwarded or none");
                    });
        }
    }
}
