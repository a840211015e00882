package io.webproxy.undertow.exchange;

import io.undertow.util.AttachmentKey;
import io.undertow.util.HeaderMap;
import io.undertow.util.HttpString;
import io.webproxy.http.ForwardedHeaders;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What trusted proxies say about a request: its client's address, its scheme and its host. The two families of fields,
 * {@code X-Forwarded-*} and {@code Forwarded} (RFC 7239), are read as one: with {@code X-Forwarded-For},
 * {@code Forwarded} only supplies the wording of its elements; without it, {@code Forwarded} names the nodes, and
 * scheme and host as far as {@code X-Forwarded-Proto} and {@code -Host} don't. Immutable, pure and total.
 *
 * <p>Scheme and host are those of the element that the outermost trusted proxy wrote. Earlier elements may have been
 * written by anyone: only their nodes are passed on.
 */
public final class ForwardedStory {
    /** The attachment of an exchange that holds it. */
    public static final AttachmentKey<ForwardedStory> KEY = AttachmentKey.create(ForwardedStory.class);

    /** At most this many nodes are copied into the other family; earlier ones are of no use. */
    private static final int MOST_NODES = 64;

    private static final Set<String> SCHEMES = Set.of("http", "https", "ws", "wss");
    private static final Pattern HOST =
            Pattern.compile("(?:[A-Za-z0-9._~-]{1,255}|\\[[0-9A-Fa-f:.]{2,45}])(?::[0-9]{1,5})?");
    private static final Pattern PORT = Pattern.compile("[1-9][0-9]{0,4}");
    private static final int MOST_PORT = 65535;

    private final Hop hop;
    private final InetAddress client;
    private final @Nullable String scheme;
    private final @Nullable String host;
    private final @Nullable String port;
    private final String addresses;
    private final List<ForwardedElement> elements;
    /** This server's own element; built when it is first written. */
    private @Nullable String own;

    private @Nullable String outerPort;

    /**
     * How the peer reached this server.
     *
     * @param scheme of the peer's request
     * @param authority its {@code Host}, empty for none
     */
    public record Hop(InetAddress peer, String scheme, String authority) {}

    private ForwardedStory(
            Hop hop,
            InetAddress client,
            @Nullable String scheme,
            @Nullable String host,
            @Nullable String port,
            String addresses,
            List<ForwardedElement> elements) {
        this.hop = hop;
        this.client = client;
        this.scheme = scheme;
        this.host = host;
        this.port = port;
        this.addresses = addresses;
        this.elements = elements;
    }

    /** For a peer that isn't trusted: it is the client itself. */
    public static ForwardedStory none(Hop hop) {
        return new ForwardedStory(hop, hop.peer, null, null, null, "", List.of());
    }

    /**
     * Reads a trusted peer's fields.
     *
     * @param trusted whether an address is a trusted proxy's
     */
    static ForwardedStory of(Hop hop, HeaderMap in, Predicate<InetAddress> trusted) {
        String scheme = scheme(first(in, ForwardedFields.PROTO));
        String host = host(first(in, ForwardedFields.HOST));
        String port = port(first(in, ForwardedFields.PORT));
        String addresses = ForwardedFields.joined(in, ForwardedFields.FOR);
        List<ForwardedElement> told = in.contains(ForwardedFields.FORWARDED)
                ? ForwardedElement.parse(ForwardedFields.joined(in, ForwardedFields.FORWARDED), MOST_NODES)
                : List.of();
        if (!addresses.isBlank()) {
            List<String> texts = List.of(addresses.split(",", -1));
            Way way = Way.over(texts, text -> ForwardedElement.address(text.strip(), true), hop.peer, trusted);
            List<ForwardedElement> same = texts.subList(Math.max(0, texts.size() - MOST_NODES), texts.size()).stream()
                    .map(text -> ForwardedElement.ofAddress(text.strip()))
                    .toList();
            int outermost = way.outermost - (texts.size() - same.size());
            String seen = withPort(host == null ? hop.authority : host, port, scheme == null ? hop.scheme : scheme);
            boolean agreed = isSame(told, same)
                    && saysNoOther(told.get(Math.max(0, outermost)), scheme == null ? hop.scheme : scheme, seen);
            List<ForwardedElement> elements =
                    completed(agreed ? told : same, outermost, scheme, host == null && port == null ? null : seen);
            return new ForwardedStory(hop, way.client, scheme, host, port, addresses, elements);
        }
        if (told.isEmpty()) {
            return new ForwardedStory(hop, hop.peer, scheme, host, port, "", List.of());
        }
        Way way = Way.over(told, ForwardedElement::address, hop.peer, trusted);
        for (ForwardedElement element : told.subList(way.outermost, told.size())) {
            scheme = scheme != null ? scheme : scheme(element.get("proto"));
            host = host != null ? host : host(element.get("host"));
        }
        String seen = withPort(host == null ? hop.authority : host, port, scheme == null ? hop.scheme : scheme);
        List<ForwardedElement> elements =
                completed(told, way.outermost, scheme, host == null && port == null ? null : seen);
        return new ForwardedStory(hop, way.client, scheme, host, port, nodes(told), elements);
    }

    /**
     * The client, and how far back the elements were written by trusted proxies.
     *
     * @param outermost index of the node that the outermost trusted proxy wrote; the number of nodes if there is none
     */
    private record Way(InetAddress client, int outermost) {
        static <T> Way over(
                List<T> nodes,
                Function<T, @Nullable InetAddress> address,
                InetAddress peer,
                Predicate<InetAddress> trusted) {
            InetAddress client = peer;
            int outermost = nodes.size();
            while (outermost > 0 && trusted.test(client)) {
                outermost--;
                InetAddress named = address.apply(nodes.get(outermost));
                if (named == null) {
                    break;
                }
                client = named;
            }
            return new Way(client, outermost);
        }
    }

    private static String nodes(List<ForwardedElement> told) {
        return told.stream().anyMatch(element -> element.get("for") != null)
                ? told.stream().map(ForwardedElement::node).collect(Collectors.joining(", "))
                : "";
    }

    private static boolean isSame(List<ForwardedElement> one, List<ForwardedElement> other) {
        if (one.size() != other.size()) {
            return false;
        }
        for (int i = 0; i < one.size(); i++) {
            if (!one.get(i).node().equals(other.get(i).node())) {
                return false;
            }
        }
        return true;
    }

    private static boolean saysNoOther(ForwardedElement element, String scheme, String host) {
        String itsScheme = element.get("proto");
        String itsHost = element.get("host");
        return (itsScheme == null || itsScheme.equalsIgnoreCase(scheme))
                && (itsHost == null || itsHost.equalsIgnoreCase(host));
    }

    /**
     * Completes the outermost trusted proxy's element with the scheme and host that are known, and reduces those before
     * it to their nodes.
     */
    private static List<ForwardedElement> completed(
            List<ForwardedElement> elements, int outermost, @Nullable String scheme, @Nullable String host) {
        List<ForwardedElement> completed = new ArrayList<>(elements);
        for (int i = 0; i < Math.min(outermost, elements.size()); i++) {
            completed.set(i, elements.get(i).withoutRest());
        }
        int at = Math.max(0, outermost);
        if (host != null && !host.isEmpty()) {
            completed.set(at, completed.get(at).with("host", host));
        }
        if (scheme != null) {
            completed.set(at, completed.get(at).with("proto", scheme));
        }
        return completed;
    }

    private static String first(HeaderMap in, HttpString name) {
        String value = in.getFirst(name);
        if (value == null) {
            return "";
        }
        int comma = value.indexOf(',');
        return (comma < 0 ? value : value.substring(0, comma)).strip();
    }

    private static @Nullable String scheme(@Nullable String text) {
        String lower = text == null ? "" : text.toLowerCase(Locale.ROOT);
        return SCHEMES.contains(lower) ? lower : null;
    }

    private static @Nullable String host(@Nullable String text) {
        return text != null && HOST.matcher(text).matches() ? text : null;
    }

    private static @Nullable String port(String text) {
        return PORT.matcher(text).matches() && Integer.parseInt(text) <= MOST_PORT ? text : null;
    }

    /** Adds the port to an authority, unless it is the scheme's default. */
    private static String withPort(String authority, @Nullable String port, String scheme) {
        boolean hasPort = authority.lastIndexOf(':') > authority.lastIndexOf(']');
        return port == null || authority.isEmpty() || hasPort || port.equals(ForwardedFields.port(scheme, authority))
                ? authority
                : authority + ":" + port;
    }

    /**
     * The client's address: if the peer is a trusted proxy, the last address that isn't a trusted proxy's; an
     * unreadable node ends the chain.
     */
    public InetAddress client() {
        return client;
    }

    /**
     * {@code https} or {@code http}: how the client reached the outermost trusted proxy if that says so, else how the
     * peer reached this server.
     */
    public String scheme() {
        return scheme == null ? hop.scheme : ForwardedFields.isSecure(scheme) ? "https" : "http";
    }

    private static String joined(List<ForwardedElement> elements) {
        return elements.stream().map(ForwardedElement::toString).collect(Collectors.joining(", "));
    }

    /** Whether the peer used this scheme and this {@code Host}. */
    public boolean isOf(String scheme, String authority) {
        return hop.authority.equals(authority) && hop.scheme.equals(scheme);
    }

    private String own(String outerScheme, String outerHost, String peerName) {
        String known = own;
        if (known == null) {
            known = elements.isEmpty()
                    ? ForwardedFields.element(outerScheme, withPort(outerHost, port, outerScheme), peerName)
                    : ForwardedFields.element(hop.scheme, hop.authority, peerName);
            own = known;
        }
        return known;
    }

    private String port(String outerScheme, String outerHost) {
        String known = outerPort;
        if (known == null) {
            known = port == null ? ForwardedFields.port(outerScheme, outerHost) : port;
            outerPort = known;
        }
        return known;
    }

    /**
     * Adds the fields for the upstream.
     *
     * @param written which of them
     * @param peerName the peer's address
     */
    public void write(FieldWriter out, ForwardedHeaders written, String peerName, String clientName) {
        if (!written.hasXForwarded()) {
            return;
        }
        String outerScheme = scheme == null ? hop.scheme : scheme;
        String outerHost = host == null ? hop.authority : host;
        out.field(ForwardedFields.FOR, addresses.isEmpty() ? peerName : addresses + ", " + peerName);
        out.field(ForwardedFields.PROTO, outerScheme);
        if (!outerHost.isEmpty()) {
            out.field(ForwardedFields.HOST, outerHost);
        }
        out.field(ForwardedFields.PORT, port(outerScheme, outerHost));
        out.field(ForwardedFields.REAL_IP, clientName);
        if (written.hasForwarded()) {
            String added = own(outerScheme, outerHost, peerName);
            out.field(ForwardedFields.FORWARDED, elements.isEmpty() ? added : joined(elements) + ", " + added);
        }
    }
}
