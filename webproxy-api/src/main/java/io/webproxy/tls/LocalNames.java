package io.webproxy.tls;

import io.webproxy.spi.IpLiteral;
import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds the names and addresses by which clients may reach this machine. */
final class LocalNames {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.tls");
    private static final Path LINUX_HOST_NAME = Path.of("/proc/sys/kernel/hostname");

    private LocalNames() {}

    /**
     * localhost and its addresses, the host name, and the addresses of the interfaces that are up, in a fixed order.
     */
    static List<String> find() {
        Set<String> names = new LinkedHashSet<>(List.of("localhost", "127.0.0.1", "::1"));
        addHostName(names);
        try {
            NetworkInterface.networkInterfaces()
                    .filter(LocalNames::isUp)
                    .flatMap(NetworkInterface::inetAddresses)
                    // a link-local address needs a zone, which no certificate can name
                    .filter(address -> !address.isLoopbackAddress() && !address.isLinkLocalAddress())
                    .sorted(IpLiteral::compare)
                    .map(IpLiteral::text)
                    .forEach(names::add);
        } catch (SocketException e) {
            LOG.debug("The local interfaces can't be listed", e);
        }
        return List.copyOf(names);
    }

    private static boolean isUp(NetworkInterface candidate) {
        try {
            return candidate.isUp();
        } catch (SocketException e) {
            return false;
        }
    }

    private static void addHostName(Set<String> names) {
        try {
            // from the kernel if possible: the other way may query DNS
            String name = Files.isReadable(LINUX_HOST_NAME)
                    ? Files.readString(LINUX_HOST_NAME).trim()
                    : InetAddress.getLocalHost().getHostName();
            names.addAll(Certificates.selfSigned(name.toLowerCase(Locale.ROOT)).names());
        } catch (IOException | IllegalArgumentException e) {
            LOG.debug("The host has no name that a certificate can carry", e);
        }
    }
}
