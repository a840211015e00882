package io.webproxy.undertow.exchange;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.undertow.util.HeaderMap;
import io.webproxy.http.ForwardedHeaders;
import io.webproxy.spi.AddressRange;
import io.webproxy.spi.IpLiteral;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Any {@code X-Forwarded-For}, and any authority in {@code Forwarded}. */
class ForwardedFuzzTest {
    private static final Trust TRUST = new Trust(List.of(AddressRange.of("10.0.0.0/8"), AddressRange.of("fd00::/8")));
    private static final Pattern WITH_PORT =
            Pattern.compile("(\\[[^\\[\\]]*]|[^:\\[\\]]*):([0-9]{1,5}|_[0-9A-Za-z._-]{1,64})");
    private static final InetAddress PROXY = Objects.requireNonNull(IpLiteral.parse("10.0.0.1"));
    private static final InetAddress STRANGER = Objects.requireNonNull(IpLiteral.parse("192.0.2.1"));

    private static InetAddress client(InetAddress peer, HeaderMap fields) {
        ForwardedStory story = TRUST.read(new ForwardedStory.Hop(peer, "http", "inner.example"), fields);
        HeadLines out = new HeadLines();
        story.write(out, ForwardedHeaders.all(), IpLiteral.text(peer), IpLiteral.text(story.client()));
        // whatever came, this server's own element is one, and the last
        String last = out.lines().get(out.lines().size() - 1);
        assertThat(last).startsWith("Forwarded: ");
        String forwarded = last.substring("Forwarded: ".length());
        List<ForwardedElement> elements = ForwardedElement.parse(forwarded, 1000);
        assertThat(elements).hasSizeLessThanOrEqualTo(65);
        assertThat(elements.get(elements.size() - 1).address()).isEqualTo(peer);
        return story.client();
    }

    @FuzzTest
    void client(byte[] input) {
        List<String> lines = Arrays.stream(new String(input, StandardCharsets.ISO_8859_1).split("\n", -1))
                .limit(100)
                .toList();
        HeaderMap fields = new HeaderMap();
        lines.forEach(line -> fields.add(ForwardedFields.FOR, line));
        assertThat(client(STRANGER, fields)).isEqualTo(STRANGER);
        InetAddress client = client(PROXY, fields);
        List<InetAddress> named = lines.stream()
                .flatMap(line -> Arrays.stream(line.split(",", -1)))
                .map(element -> address(element.strip()))
                .filter(Objects::nonNull)
                .toList();
        assertThat(client.equals(PROXY) || named.contains(client)).isTrue();
        if (!named.isEmpty() && !TRUST.contains(client)) {
            // nobody in front of the last one that isn't trusted is believed
            List<InetAddress> strangers =
                    named.stream().filter(address -> !TRUST.contains(address)).toList();
            assertThat(client).isEqualTo(strangers.get(strangers.size() - 1));
        }
    }

    private static @Nullable InetAddress address(String element) {
        InetAddress plain = IpLiteral.parse(element);
        Matcher withPort = WITH_PORT.matcher(element);
        return plain == null && withPort.matches() ? IpLiteral.parse(withPort.group(1)) : plain;
    }

    /** Any {@code Forwarded}: only addresses that stand in it are believed, and nobody but a trusted proxy is. */
    @FuzzTest
    void forwarded(byte[] input) {
        String value = new String(input, StandardCharsets.ISO_8859_1);
        HeaderMap fields = new HeaderMap().add(ForwardedFields.FORWARDED, value);
        assertThat(client(STRANGER, fields)).isEqualTo(STRANGER);
        InetAddress client = client(PROXY, fields);
        assertThat(client.equals(PROXY) || value.toLowerCase(Locale.ROOT).contains("for="))
                .isTrue();
    }

    @FuzzTest
    void element(byte[] input) {
        String authority = new String(input, StandardCharsets.ISO_8859_1);
        assertThat(ForwardedFields.port("https", authority)).isNotEmpty();
        String element = ForwardedFields.element("https", authority, "192.0.2.1");
        // RFC 7239 section 4: what stands between for= and proto= is one token or one quoted string
        if (!authority.isEmpty()) {
            assertThat(element)
                    .matches(
                            "(?s)for=192\\.0\\.2\\.1;host=([!#$%&'*+.^_`|~0-9A-Za-z-]++|\"([^\"\\\\]|\\\\.)*+\");proto=https");
        }
    }
}
