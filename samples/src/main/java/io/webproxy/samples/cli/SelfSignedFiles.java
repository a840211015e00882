package io.webproxy.samples.cli;

import io.webproxy.spi.IpLiteral;
import io.webproxy.tls.SelfSigned;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The command line's self-signed certificates: a pair of files for each set of names, so that several servers can share
 * the directory.
 */
final class SelfSignedFiles {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.tls");

    private final @Nullable String storage;

    /** In this directory; null for one in the home directory, {@code none} for memory. */
    SelfSignedFiles(@Nullable String storage) {
        this.storage = storage;
    }

    /** Memory suffices only if the user didn't name a directory and the home directory can't be used. */
    SelfSigned kept(SelfSigned made) {
        if (storage != null) {
            return storage.equalsIgnoreCase("none") ? made : made.storedIn(Path.of(storage), fileName(made.names()));
        }
        Path home = Path.of(System.getProperty("user.home", ""));
        if (!home.isAbsolute()) {
            LOG.warn("This user has no home directory: the self-signed certificate is new at each start"
                    + " (--self-signed-storage DIR keeps it)");
            return made;
        }
        return made.storedIn(home.resolve(".webproxy").resolve("self-signed"), fileName(made.names()))
                .orInMemory();
    }

    /** A name for people, and a hash of the set of all names. */
    static String fileName(List<String> names) {
        TreeSet<String> all = new TreeSet<>();
        names.forEach(name -> all.add(canonical(name)));
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256")
                    .digest(String.join(",", all).getBytes(StandardCharsets.UTF_8));
            String first = all.stream()
                    .filter(name -> IpLiteral.parse(name) == null)
                    .findFirst()
                    .orElseGet(all::first)
                    .replaceAll("[^a-z0-9.-]", "_")
                    .replaceFirst("^\\.", "_");
            return first.substring(0, Math.min(100, first.length()))
                    + "-"
                    + HexFormat.of().formatHex(hash, 0, 6);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    private static String canonical(String name) {
        InetAddress address = IpLiteral.parse(name);
        String lower = name.toLowerCase(Locale.ROOT);
        return address != null
                ? IpLiteral.text(address)
                : lower.endsWith(".") ? lower.substring(0, lower.length() - 1) : lower;
    }
}
