package io.webproxy.tls;

import io.webproxy.spi.IpLiteral;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;

/** The names that a certificate can be for. */
final class CertificateNames {
    private static final Pattern NAME = Pattern.compile(
            "(\\*\\.)?[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\\.?");
    private static final Pattern NUMBERS = Pattern.compile("[0-9.]+");

    private CertificateNames() {}

    /** Checks DNS names and addresses; {@code what} is the method that got them. */
    static List<String> checked(String what, String... names) {
        List<String> checked = new ArrayList<>();
        for (String name : Objects.requireNonNull(names, "names")) {
            String plain = Objects.requireNonNull(name, "name").startsWith("[") && name.endsWith("]")
                    ? name.substring(1, name.length() - 1)
                    : name;
            boolean dnsName =
                    NAME.matcher(name).matches() && !NUMBERS.matcher(name).matches();
            if (!dnsName && IpLiteral.parse(plain) == null) {
                throw new IllegalArgumentException(
                        what + ": " + name + " (expected: a DNS name such as host.example.com, or an IP address)");
            }
            checked.add(plain);
        }
        if (checked.isEmpty()) {
            throw new IllegalArgumentException(what + ": no name (expected: at least one DNS name or IP address)");
        }
        return checked;
    }
}
