package io.webproxy.acme.check;

import io.webproxy.spi.IpLiteral;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Hashtable;
import java.util.List;
import java.util.stream.Collectors;
import javax.naming.Context;
import javax.naming.NameNotFoundException;
import javax.naming.NamingEnumeration;
import javax.naming.NamingException;
import javax.naming.ServiceUnavailableException;
import javax.naming.directory.Attribute;
import javax.naming.directory.DirContext;
import javax.naming.directory.InitialDirContext;
import org.jspecify.annotations.Nullable;

/**
 * Queries DNS servers, bypassing the hosts file and the JVM's cache. Blocks for up to 6 s for each server that doesn't
 * answer.
 *
 * <p>Thread-safe.
 */
final class DnsLookup {
    /** The type number of CAA (RFC 8659 section 7), for which the JDK has no name. */
    private static final String CAA = "257";

    @SuppressWarnings("JdkObsolete") // It's what InitialDirContext takes.
    private final Hashtable<String, String> environment = new Hashtable<>();

    /** Asks these servers until one answers; the system's if the list is empty. */
    DnsLookup(List<InetSocketAddress> servers) {
        environment.put(Context.INITIAL_CONTEXT_FACTORY, "com.sun.jndi.dns.DnsContextFactory");
        environment.put("com.sun.jndi.dns.timeout.initial", "2000");
        environment.put("com.sun.jndi.dns.timeout.retries", "2");
        environment.put(
                Context.PROVIDER_URL,
                servers.isEmpty()
                        ? "dns:"
                        : servers.stream().map(DnsLookup::url).collect(Collectors.joining(" ")));
    }

    private static String url(InetSocketAddress server) {
        String host = server.getAddress() == null ? server.getHostString() : IpLiteral.text(server.getAddress());
        return "dns://" + (host.contains(":") ? "[" + host + "]" : host) + ":" + server.getPort();
    }

    /**
     * The addresses of a host, IPv4 first; empty if it has none, or doesn't exist.
     *
     * @throws IOException if no server answers; the message is the end of a sentence
     */
    List<InetAddress> addresses(String host) throws IOException {
        List<InetAddress> addresses = new ArrayList<>();
        for (String type : List.of("A", "AAAA")) {
            for (Object value : ask(host, type)) {
                InetAddress address = IpLiteral.parse(String.valueOf(value));
                if (address != null) {
                    addresses.add(address);
                }
            }
        }
        return addresses;
    }

    /**
     * The CAA records at exactly this name.
     *
     * @throws IOException if no server answers; the message is the end of a sentence
     */
    List<CaaRecord> caa(String name) throws IOException {
        List<CaaRecord> records = new ArrayList<>();
        for (Object value : ask(name, CAA)) {
            if (value instanceof byte[] bytes) {
                records.add(CaaRecord.parse(bytes));
            }
        }
        return records;
    }

    // The provider is fixed to DNS, which makes no objects of what it is answered.
    @SuppressWarnings("BanJNDI")
    private List<Object> ask(String name, String type) throws IOException {
        List<Object> values = new ArrayList<>();
        DirContext context = null;
        try {
            context = new InitialDirContext(environment);
            NamingEnumeration<? extends Attribute> attributes =
                    context.getAttributes(name + ".", new String[] {type}).getAll();
            while (attributes.hasMore()) {
                Attribute attribute = attributes.next();
                for (int i = 0; i < attribute.size(); i++) {
                    values.add(attribute.get(i));
                }
            }
            return values;
        } catch (NameNotFoundException e) {
            return List.of();
        } catch (ServiceUnavailableException e) {
            throw new IOException("the DNS server fails to answer (SERVFAIL)", e);
        } catch (NamingException e) {
            throw new IOException("no DNS server answers", e);
        } finally {
            close(context);
        }
    }

    private static void close(@Nullable DirContext context) {
        try {
            if (context != null) {
                context.close();
            }
        } catch (NamingException e) {
            // There's nothing to close.
        }
    }
}
