package io.webproxy.undertow.forward;

import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.webproxy.undertow.message.Cookies;
import io.webproxy.undertow.message.FieldLines;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The proxy's own cookie in a response. An upstream's cookie of the same name is removed.
 *
 * @param value to set; null if the client has the right one
 * @param secure whether the client used HTTPS
 */
record SessionCookie(String name, @Nullable String value, boolean secure) {
    /** Adds it to the response fields for the client. */
    void applyTo(HeaderMap fields) {
        HeaderValues set = fields.get(Headers.SET_COOKIE);
        List<String> lines = set == null ? List.of() : FieldLines.lines(set);
        if (lines.stream().anyMatch(line -> Cookies.isSet(line, name))) {
            List<String> others =
                    lines.stream().filter(line -> !Cookies.isSet(line, name)).toList();
            fields.remove(Headers.SET_COOKIE);
            others.forEach(line -> FieldLines.addOfResponse(fields, Headers.SET_COOKIE, line));
        }
        if (value != null) {
            fields.add(
                    Headers.SET_COOKIE,
                    name + "=" + value + "; Path=/; HttpOnly; SameSite=Lax" + (secure ? "; Secure" : ""));
        }
    }
}
