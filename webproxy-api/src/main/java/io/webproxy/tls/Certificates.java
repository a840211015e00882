package io.webproxy.tls;

import io.webproxy.spi.FirstOfSource;
import io.webproxy.spi.IpLiteral;
import io.webproxy.spi.NamedSource;
import io.webproxy.spi.PemSource;
import io.webproxy.spi.Pkcs12Source;
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
        return new PemSource(
                Objects.requireNonNull(certificates, "certificates"), Objects.requireNonNull(key, "key"), null);
    }

    /** PEM files, with an encrypted key. */
    public static CertificateSource pem(Path certificates, Path key, String password) {
        return new PemSource(
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
        return new Pkcs12Source(Objects.requireNonNull(file, "file"), Objects.requireNonNull(password, "password"));
    }

    /**
     * A self-signed certificate: EC P-256, valid for 397 days, new at each start unless it is
     * {@linkplain SelfSigned#storedIn stored}.
     *
     * @param names DNS names and IP addresses, at least one
     * @throws IllegalArgumentException if there is none, or one is neither
     */
    public static SelfSigned selfSigned(String... names) {
        return new SelfSigned(checked("selfSigned", names));
    }

    /**
     * The names in the self-signed certificate of a server without certificates: {@code localhost} and its addresses,
     * the name of the host, and the addresses of the network interfaces that are up, in a fixed order. Queries the
     * system: not for an IO thread.
     */
    public static List<String> localNames() {
        return LocalNames.find();
    }

    /**
     * Combines several sources: the first one with a certificate for a client's name serves it, otherwise the first one
     * with any certificate. So a self-signed certificate after a provider is served until the provider has obtained its
     * own.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static CertificateSource firstOf(CertificateSource... sources) {
        List<CertificateSource> all = new ArrayList<>();
        for (CertificateSource source : Objects.requireNonNull(sources, "sources")) {
            all.add(Objects.requireNonNull(source, "source"));
        }
        if (all.isEmpty()) {
            throw new IllegalArgumentException("firstOf: no source (expected: at least one)");
        }
        return new FirstOfSource(all);
    }

    /**
     * Limits a source to these names, whatever its certificates are for.
     *
     * @param names DNS names, wildcards such as {@code *.example.com} (one label) and IP addresses, at least one
     * @throws IllegalArgumentException if there is none, or one is neither
     */
    public static CertificateSource forNames(CertificateSource source, String... names) {
        Objects.requireNonNull(source, "source");
        return new NamedSource(checked("forNames", names), source);
    }

    private static List<String> checked(String what, String... names) {
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
