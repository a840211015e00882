package io.webproxy.tls;

import io.webproxy.http.IpLiteral;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;

/** Makes {@link CertificateSource}s. Files are read when the server starts. */
public final class Certificates {
    private static final Pattern NAME = Pattern.compile(
            "(\\*\\.)?[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\\.?");
    private static final Pattern NUMBERS = Pattern.compile("[0-9.]+");

    private Certificates() {}

    /** PEM files, with a key that has no password. */
    public static CertificateSource pem(Path certificates, Path key) {
        return new CertificateSource.Pem(
                Objects.requireNonNull(certificates, "certificates"), Objects.requireNonNull(key, "key"), null);
    }

    /** PEM files, with an encrypted key. */
    public static CertificateSource pem(Path certificates, Path key, String password) {
        return new CertificateSource.Pem(
                Objects.requireNonNull(certificates, "certificates"),
                Objects.requireNonNull(key, "key"),
                Objects.requireNonNull(password, "password"));
    }

    /**
     * A PKCS#12 file.
     *
     * @param password empty for none
     */
    public static CertificateSource pkcs12(Path file, String password) {
        return new CertificateSource.Pkcs12(
                Objects.requireNonNull(file, "file"), Objects.requireNonNull(password, "password"));
    }

    /**
     * A self-signed certificate: EC P-256, valid for 397 days, made anew at each start unless it is
     * {@linkplain CertificateSource.SelfSigned#storedIn stored}.
     *
     * @param names DNS names and IP addresses, at least one
     * @throws IllegalArgumentException if there is none, or one is neither
     */
    public static CertificateSource.SelfSigned selfSigned(String... names) {
        List<String> checked = new ArrayList<>();
        for (String name : Objects.requireNonNull(names, "names")) {
            String plain = Objects.requireNonNull(name, "name").startsWith("[") && name.endsWith("]")
                    ? name.substring(1, name.length() - 1)
                    : name;
            boolean dnsName =
                    NAME.matcher(name).matches() && !NUMBERS.matcher(name).matches();
            if (!dnsName && IpLiteral.parse(plain) == null) {
                throw new IllegalArgumentException(
                        "selfSigned: " + name + " (expected: a DNS name such as host.example.com, or an IP address)");
            }
            checked.add(plain);
        }
        if (checked.isEmpty()) {
            throw new IllegalArgumentException("selfSigned: no name (expected: at least one DNS name or IP address)");
        }
        return new CertificateSource.SelfSigned(checked, false, null);
    }
}
