package io.webproxy.acme.challenge;

import io.webproxy.spi.IpLiteral;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Hashtable;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.naming.Context;
import javax.naming.NamingEnumeration;
import javax.naming.NamingException;
import javax.naming.directory.Attribute;
import javax.naming.directory.InitialDirContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Waits until DNS servers answer with a record: a validation that comes too early would waste an attempt. */
public final class Propagation {
    private static final Logger LOG = LoggerFactory.getLogger(Propagation.class);
    private static final Duration LIMIT = Duration.ofMinutes(2);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);

    private final List<String> servers;
    private final Duration limit;

    /** Asks these servers, or the system's if the list is empty. */
    public Propagation(List<InetSocketAddress> resolvers) {
        this(resolvers, LIMIT);
    }

    Propagation(List<InetSocketAddress> resolvers, Duration limit) {
        this.servers = resolvers.isEmpty()
                ? List.of("dns:")
                : resolvers.stream().map(Propagation::url).toList();
        this.limit = limit;
    }

    private static String url(InetSocketAddress resolver) {
        InetAddress address = resolver.getAddress();
        String host = address == null ? resolver.getHostString() : IpLiteral.text(address);
        return "dns://" + (host.contains(":") ? "[" + host + "]" : host) + ":" + resolver.getPort();
    }

    /**
     * Returns when every server has every record, or after a time limit: the CA may see records that can't be seen from
     * here.
     */
    public void await(List<TxtRecord> records) throws InterruptedException {
        long deadline = System.nanoTime() + limit.toNanos();
        Duration pause = Duration.ofMillis(250);
        for (String server : servers) {
            for (TxtRecord record : records) {
                while (!values(server, record.name()).contains(record.value())) {
                    if (System.nanoTime() + pause.toNanos() - deadline > 0) {
                        LOG.info(
                                "{}: can't be seen at {} after {} s, tried anyway",
                                record.name(),
                                server,
                                limit.toSeconds());
                        return;
                    }
                    TimeUnit.NANOSECONDS.sleep(pause.toNanos());
                    pause = pause.compareTo(LONGEST_PAUSE) > 0 ? pause : pause.multipliedBy(2);
                }
            }
        }
    }

    // JNDI is the JDK's only way to ask for a TXT record. The names asked are those of an order, the answers are
    // texts.
    @SuppressWarnings({"BanJNDI", "JdkObsolete"})
    private static List<String> values(String server, String name) {
        Hashtable<String, String> environment = new Hashtable<>();
        environment.put(Context.INITIAL_CONTEXT_FACTORY, "com.sun.jndi.dns.DnsContextFactory");
        environment.put(Context.PROVIDER_URL, server);
        environment.put("com.sun.jndi.dns.timeout.initial", "1000");
        environment.put("com.sun.jndi.dns.timeout.retries", "2");
        List<String> values = new ArrayList<>();
        try {
            InitialDirContext dns = new InitialDirContext(environment);
            try {
                Attribute texts = dns.getAttributes(name, new String[] {"TXT"}).get("TXT");
                NamingEnumeration<?> all = texts == null ? null : texts.getAll();
                while (all != null && all.hasMore()) {
                    values.add(String.valueOf(all.next()).replace("\"", ""));
                }
            } finally {
                dns.close();
            }
        } catch (NamingException e) {
            LOG.debug("{}: not to be had from {}: {}", name, server, e.toString());
        }
        return values;
    }
}
