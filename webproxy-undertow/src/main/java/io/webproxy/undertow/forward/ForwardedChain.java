package io.webproxy.undertow.forward;

import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.webproxy.http.IpLiteral;
import io.webproxy.undertow.exchange.FieldParser;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The nodes that a request has come through, the client first, as proxies have told it: an address each, or null for what hides itself ({@code unknown},
 * {@code _name}) or can't be read. Pure and total.
 */
final class ForwardedChain {
    /** A port behind an address (RFC 7239 section 6); it may be a made-up name. */
    private static final Pattern PORT = Pattern.compile("[0-9]{1,5}|_[0-9A-Za-z._-]{1,64}");

    private static final ForwardedChain NONE = new ForwardedChain(List.of(), element -> null);

    private final List<String> elements;
    private final Function<String, @Nullable InetAddress> reader;

    private ForwardedChain(List<String> elements, Function<String, @Nullable InetAddress> reader) {
        this.elements = elements;
        this.reader = reader;
    }

    /** What {@code X-Forwarded-For} says, or {@code Forwarded} if there is none. */
    static ForwardedChain of(HeaderMap fields) {
        HeaderValues addresses = fields.get(ForwardedFields.FOR);
        if (addresses != null) {
            // addresses, with a port or without, of IPv6 with brackets or without
            return new ForwardedChain(
                    List.of(String.join(",", addresses).split(",", -1)), element -> node(element.strip(), true));
        }
        HeaderValues forwarded = fields.get(ForwardedFields.FORWARDED);
        return forwarded == null
                ? NONE
                : new ForwardedChain(split(String.join(",", forwarded), ','), ForwardedChain::element);
    }

    int size() {
        return elements.size();
    }

    /** The node at a place; read now, because a forged chain may be long and only its end counts. */
    @Nullable InetAddress node(int index) {
        return reader.apply(elements.get(index));
    }

    /** The {@code for} parameter of an element of {@code Forwarded} (RFC 7239 section 4). */
    private static @Nullable InetAddress element(String element) {
        String node = null;
        for (String pair : split(element, ';')) {
            int equals = pair.indexOf('=');
            String name = equals < 0 ? "" : pair.substring(0, equals).strip().toLowerCase(Locale.ROOT);
            String value = equals < 0 ? null : value(pair.substring(equals + 1).strip());
            if (value == null || (name.equals("for") && node != null)) {
                // section 4: no parameter more than once; and what is malformed tells nothing
                return null;
            }
            if (name.equals("for")) {
                node = value;
            }
        }
        return node == null ? null : node(node, false);
    }

    /** A token or a quoted string (RFC 9110 section 5.6.4), without its quotes; null if it is neither. */
    private static @Nullable String value(String text) {
        if (!text.startsWith("\"")) {
            return FieldParser.isToken(text) ? text : null;
        }
        StringBuilder plain = new StringBuilder(text.length());
        for (int i = 1; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"') {
                return i == text.length() - 1 ? plain.toString() : null;
            }
            if (c == '\\' && ++i < text.length()) {
                c = text.charAt(i);
            }
            plain.append(c);
        }
        return null;
    }

    /** The parts between separators that no quotes are around. */
    private static List<String> split(String list, char separator) {
        List<String> parts = new ArrayList<>();
        boolean quoted = false;
        int start = 0;
        for (int i = 0; i < list.length(); i++) {
            char c = list.charAt(i);
            if (c == '"') {
                quoted = !quoted;
            } else if (c == '\\' && quoted) {
                i++;
            } else if (c == separator && !quoted) {
                parts.add(list.substring(start, i));
                start = i + 1;
            }
        }
        parts.add(list.substring(start));
        return parts;
    }

    /** An address without its port. No address has a zone: it would mean something on another machine only. */
    private static @Nullable InetAddress node(String text, boolean bareIpv6) {
        int bracket = text.lastIndexOf(']');
        int colon = text.lastIndexOf(':');
        if (text.startsWith("[") && bracket > 0) {
            String behind = text.substring(bracket + 1);
            return behind.isEmpty() || (behind.startsWith(":") && isPort(behind.substring(1)))
                    ? IpLiteral.parse(text.substring(0, bracket + 1))
                    : null;
        }
        if (colon >= 0 && text.indexOf(':') == colon) {
            return isPort(text.substring(colon + 1)) ? IpLiteral.parse(text.substring(0, colon)) : null;
        }
        return colon < 0 || bareIpv6 ? IpLiteral.parse(text) : null;
    }

    private static boolean isPort(String text) {
        return PORT.matcher(text).matches();
    }
}
