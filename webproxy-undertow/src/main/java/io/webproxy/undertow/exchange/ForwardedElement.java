package io.webproxy.undertow.exchange;

import io.webproxy.spi.IpLiteral;
import io.webproxy.undertow.message.FieldParser;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** One element of {@code Forwarded} (RFC 7239 section 4): its parameters in their order. Immutable, pure and total. */
final class ForwardedElement {
    private static final String UNKNOWN = "unknown";

    /** A port after an address (RFC 7239 section 6); it may be an obfuscated one. */
    private static final Pattern PORT = Pattern.compile("[0-9]{1,5}|_[0-9A-Za-z._-]{1,64}");

    private static final Pattern HIDDEN = Pattern.compile("_[0-9A-Za-z._-]{1,64}");

    private final List<Parameter> parameters;

    /** A parameter; its value is without quotes. */
    private record Parameter(String name, String value) {}

    private ForwardedElement(List<Parameter> parameters) {
        this.parameters = List.copyOf(parameters);
    }

    /** The last {@code most} elements of a field; a malformed one becomes an element with an unknown node only. */
    static List<ForwardedElement> parse(String field, int most) {
        List<String> texts = split(field, ',');
        return texts.subList(Math.max(0, texts.size() - most), texts.size()).stream()
                .map(ForwardedElement::element)
                .toList();
    }

    private static ForwardedElement element(String text) {
        List<Parameter> parameters = new ArrayList<>();
        for (String pair : split(text, ';')) {
            int equals = pair.indexOf('=');
            String name = equals < 0 ? "" : pair.substring(0, equals).strip();
            String value = equals < 0 ? null : value(pair.substring(equals + 1).strip());
            // section 4: no parameter more than once; a malformed element is ignored
            if (value == null || !FieldParser.isToken(name) || new ForwardedElement(parameters).get(name) != null) {
                return ofNode(UNKNOWN);
            }
            parameters.add(new Parameter(name, value));
        }
        return new ForwardedElement(parameters);
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

    /** Splits at separators outside of quotes. */
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

    /** An element with a node only. */
    static ForwardedElement ofNode(String node) {
        return new ForwardedElement(List.of(new Parameter("for", node)));
    }

    /**
     * The element for an entry of {@code X-Forwarded-For}: an IPv6 address gets brackets, and an invalid node becomes
     * {@code unknown} (section 6).
     */
    static ForwardedElement ofAddress(String text) {
        if (address(text, true) == null) {
            return ofNode(HIDDEN.matcher(text).matches() ? text : UNKNOWN);
        }
        boolean bare = !text.startsWith("[") && text.indexOf(':') != text.lastIndexOf(':');
        return ofNode(bare ? "[" + text + "]" : text);
    }

    /** The value of a parameter, or null. */
    @Nullable String get(String name) {
        for (Parameter parameter : parameters) {
            if (parameter.name.equalsIgnoreCase(name)) {
                return parameter.value;
            }
        }
        return null;
    }

    /** A copy in which a parameter is set or replaced. */
    ForwardedElement with(String name, String value) {
        if (value.equals(get(name))) {
            return this;
        }
        List<Parameter> changed = new ArrayList<>(parameters);
        changed.replaceAll(old -> old.name.equalsIgnoreCase(name) ? new Parameter(name, value) : old);
        if (get(name) == null) {
            changed.add(new Parameter(name, value));
        }
        return new ForwardedElement(changed);
    }

    /** A copy with the node only. */
    ForwardedElement withoutRest() {
        String node = get("for");
        return ofNode(node == null ? UNKNOWN : node);
    }

    /** The node's address; null if it is obfuscated or unknown. */
    @Nullable InetAddress address() {
        String node = get("for");
        return node == null ? null : address(node, false);
    }

    /** The node as an entry of {@code X-Forwarded-For}: an address without port and brackets, or an obfuscated name. */
    String node() {
        String node = get("for");
        if (node == null) {
            return UNKNOWN;
        }
        InetAddress address = address(node, false);
        if (address != null) {
            return IpLiteral.text(address);
        }
        int colon = node.indexOf(':');
        String name = colon < 0 ? node : node.substring(0, colon);
        return HIDDEN.matcher(name).matches() ? name : UNKNOWN;
    }

    /** An address without its port. Zones are refused: they mean nothing on another machine. */
    static @Nullable InetAddress address(String text, boolean bareIpv6) {
        int bracket = text.lastIndexOf(']');
        int colon = text.lastIndexOf(':');
        if (text.startsWith("[") && bracket > 0) {
            String rest = text.substring(bracket + 1);
            return rest.isEmpty() || (rest.startsWith(":") && isPort(rest.substring(1)))
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

    /** As it is written in the field: values that aren't tokens are quoted. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(64);
        for (Parameter parameter : parameters) {
            text.append(text.length() == 0 ? "" : ";").append(parameter.name).append('=');
            if (FieldParser.isToken(parameter.value)) {
                text.append(parameter.value);
            } else {
                text.append('"')
                        .append(parameter.value.replace("\\", "\\\\").replace("\"", "\\\""))
                        .append('"');
            }
        }
        return text.toString();
    }
}
