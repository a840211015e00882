package io.webproxy.undertow.forward;

import io.undertow.util.HttpString;
import io.webproxy.route.Balancing;
import io.webproxy.route.Upstream;
import io.webproxy.spi.SessionAffinity;
import io.webproxy.undertow.exchange.Exchange;
import io.webproxy.undertow.upstream.ParsedHead;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a session on the upstream that issued its value of a header field. Stores hashes of the values, so that long
 * ones take no more memory. Thread-safe.
 */
final class HeaderAffinity implements Affinity {
    private static final int MOST = 100_000;

    private final String name;
    private final HttpString field;
    private final Balancing others;
    private final Map<Key, Upstream> givers;

    /** The first half of a SHA-256: it is infeasible to find another value with the same. */
    private record Key(long high, long low) {
        static Key of(String value) {
            try {
                ByteBuffer hash = ByteBuffer.wrap(
                        MessageDigest.getInstance("SHA-256").digest(value.getBytes(StandardCharsets.UTF_8)));
                return new Key(hash.getLong(), hash.getLong());
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    HeaderAffinity(SessionAffinity affinity) {
        this(affinity, MOST);
    }

    /** {@code most}: how many values are remembered. */
    HeaderAffinity(SessionAffinity affinity, int most) {
        this.name = affinity.name();
        this.field = new HttpString(name);
        this.others = affinity.others();
        this.givers = new LinkedHashMap<>(16, 0.75f, true) {
            private static final long serialVersionUID = 1L;

            @Override
            protected boolean removeEldestEntry(Map.Entry<Key, Upstream> eldest) {
                return size() > most;
            }
        };
    }

    @Override
    public int choose(Choice choice) {
        List<String> values = choice.request().headers(name);
        Upstream giver = values.isEmpty() ? null : giver(values.get(0));
        for (int i = 0; giver != null && i < choice.count(); i++) {
            if (choice.upstream(i).equals(giver)) {
                return i;
            }
        }
        return others.choose(choice);
    }

    /** The upstream that issued a value; null if unknown. */
    @Nullable Upstream giver(String value) {
        Key key = Key.of(value);
        synchronized (givers) {
            return givers.get(key);
        }
    }

    /** An upstream has issued a value. */
    void given(String value, Upstream by) {
        Key key = Key.of(value);
        synchronized (givers) {
            givers.put(key, by);
        }
    }

    @Override
    public @Nullable SessionCookie responded(Exchange exchange, ParsedHead answer, @Nullable Upstream by) {
        String value = by == null ? null : answer.fields().getFirst(field);
        if (value != null && by != null && !value.isEmpty()) {
            given(value, by);
        }
        return null;
    }
}
