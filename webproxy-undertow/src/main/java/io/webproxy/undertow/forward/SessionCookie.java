package io.webproxy.undertow.forward;

import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.webproxy.undertow.message.Cookies;
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
        if (set != null && set.stream().anyMatch(field -> Cookies.isSet(field, name))) {
            List<String> others =
                    set.stream().filter(field -> !Cookies.isSet(field, name)).toList();
            fields.remove(Headers.SET_COOKIE);
            fields.addAll(Headers.SET_COOKIE, others);
        }
        if (value != null) {
            fields.add(
                    Headers.SET_COOKIE,
                    name + "=" + value + "; Path=/; HttpOnly; SameSite=Lax" + (secure ? "; Secure" : ""));
        }
    }
}
