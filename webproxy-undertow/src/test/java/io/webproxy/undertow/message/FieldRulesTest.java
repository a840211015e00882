package io.webproxy.undertow.message;

import static org.assertj.core.api.Assertions.assertThat;

import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FieldRulesTest {
    private static HeaderMap fields(String... namesAndValues) {
        HeaderMap fields = new HeaderMap();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            fields.add(new HttpString(namesAndValues[i]), namesAndValues[i + 1]);
        }
        return fields;
    }

    private static List<String> names(HeaderMap fields) {
        return fields.getHeaderNames().stream().map(HttpString::toString).toList();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Connection",
                "KEEP-ALIVE",
                "proxy-connection",
                "Proxy-Authenticate",
                "Proxy-Authorization",
                "TE",
                "Transfer-Encoding",
                "Upgrade",
                "HTTP2-Settings"
            })
    void hopByHopFieldEndsHere(String name) {
        HeaderMap fields = fields(name, "x", "Other", "y");

        assertThat(FieldRules.isHopByHop(new HttpString(name))).isTrue();
        FieldRules.stripHopByHop(fields);
        assertThat(names(fields)).containsExactly("Other");
    }

    @Test
    void fieldsThatConnectionNamesAreDroppedOverAllItsLines() {
        HeaderMap fields = fields(
                "Connection", "close, X-Forwarded-For",
                "connection", ",, x-auth ;q=1,",
                "X-Auth", "1",
                "X-Auth", "2",
                "X-Forwarded-For", "192.0.2.1",
                "X-Authentic", "3",
                "Trailer", "ETag");

        assertThat(FieldRules.namedByConnection(fields))
                .containsExactlyInAnyOrder(
                        new HttpString("close"), new HttpString("X-Forwarded-For"), new HttpString("X-Auth"));
        FieldRules.stripHopByHop(fields);
        assertThat(names(fields)).containsExactlyInAnyOrder("X-Authentic", "Trailer");
    }

    @Test
    void connectionThatNamesTheProtocolsOwnWordsNamesNothing() {
        for (String value : List.of("close", "Keep-Alive", "UPGRADE")) {
            assertThat(FieldRules.namedByConnection(fields("Connection", value)))
                    .isEmpty();
        }
        assertThat(FieldRules.namedByConnection(new HeaderMap())).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", ",", ",,,", ";", "a b", "\u0000", "\u0161", "\"", "()", "\ud83d"})
    void hostileConnectionValueIsAnsweredWithoutAnException(String value) {
        HeaderMap fields = fields("Connection", value, "Other", "x");

        assertThat(FieldRules.namedByConnection(fields)).isEmpty();
        FieldRules.stripHopByHop(fields);
        assertThat(names(fields)).containsExactly("Other");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "upgrade | true",
                "Keep-Alive, Upgrade | true",
                "keep-alive ,UPGRADE;x | true",
                "upgraded | false",
                "x-upgrade | false",
                "'' | false",
                ",, | false"
            })
    void tokenIsFoundWholeAndWithoutCase(String value, boolean found) {
        assertThat(FieldRules.hasToken(fields("Connection", value), Headers.CONNECTION, "upgrade"))
                .isEqualTo(found);
    }

    @Test
    void tokenIsFoundInALaterLineAndNotInAnotherField() {
        HeaderMap fields = fields("Connection", "a", "Connection", "upgrade");

        assertThat(FieldRules.hasToken(fields, Headers.CONNECTION, "upgrade")).isTrue();
        assertThat(FieldRules.hasToken(fields, Headers.TE, "upgrade")).isFalse();
    }

    @Test
    void tokensAreWithoutParametersAndWhiteSpace() {
        assertThat(FieldRules.tokens(List.of(" a ;q=1,b", "", ",c,", ";x", "d\t")))
                .containsExactly("a", "b", "c", "d");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Host",
                "Content-Length",
                "Content-Type",
                "Content-Encoding",
                "Content-Range",
                "Transfer-Encoding",
                "Trailer",
                "TE",
                "Connection",
                "Keep-Alive",
                "Proxy-Connection",
                "Proxy-Authorization",
                "Upgrade",
                "Authorization",
                "Cookie",
                "Set-Cookie",
                "Location",
                "Cache-Control",
                "Expect",
                "Range",
                "Forwarded",
                "Via",
                "X-Forwarded-For",
                "x-forwarded-proto",
                "X-FORWARDED-HOST",
                "X-Forwarded-User",
                "X-Real-IP",
                "X-Original-URL",
                "X-Rewrite-URL",
                "X-HTTP-Method-Override",
                "X-Accel-Redirect",
                "X-Sendfile",
                "X-Auth-Token",
                "X-Remote-User",
                "X_Forwarded_For",
                "Unknown"
            })
    void trailerThatFramesRoutesOrAuthenticatesIsDropped(String name) {
        assertThat(FieldRules.allowedTrailers(fields(name, "x")).size()).isZero();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ETag",
                "digest",
                "Content-Digest",
                "Repr-Digest",
                "Server-Timing",
                "Signature",
                "grpc-status",
                "Grpc-Message",
                "grpc-status-details-bin",
                "X-Checksum",
                "x-amz-checksum-crc32"
            })
    void trailerOfTheAllowListPasses(String name) {
        assertThat(names(FieldRules.allowedTrailers(fields(name, "x")))).containsExactly(name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\r\nX-Evil: b", "a\nb", "a\0", "a\u007f", "a\u0161", "a\u010d\u010ab"})
    void trailerWhoseValueWouldSplitTheMessageIsDropped(String value) {
        HeaderMap allowed = FieldRules.allowedTrailers(fields("X-Sum", "1", "X-Sum", value, "ETag", "e"));

        assertThat(names(allowed)).containsExactly("ETag");
    }

    @Test
    void allowedTrailersAreACopyWithAllValues() {
        HeaderMap trailers = fields("X-Sum", "1", "x-sum", "2", "Host", "evil");
        HeaderMap allowed = FieldRules.allowedTrailers(trailers);

        assertThat(allowed.get("X-Sum")).containsExactly("1", "2");
        assertThat(allowed.size()).isEqualTo(1);
        assertThat(trailers.size()).isEqualTo(2);
    }

    @Test
    void trailersOfAGrpcCallAreMetadataAndAllThatFramesOrAuthenticatesIsDropped() {
        HeaderMap trailers = fields(
                "grpc-status", "0",
                "grpc-message", "fine",
                "grpc-status-details-bin", "AAE",
                "session_id.x", "1",
                "My-Key-Bin", "AA,AQ",
                "user", "me",
                "Content-Length", "3",
                "content_type", "text/html",
                "Transfer-Encoding", "chunked",
                "Host", "a",
                "Authorization", "x",
                "Set-Cookie", "a=b",
                "X-Forwarded-For", "192.0.2.1",
                "TE", "trailers",
                "bad", "a\u0000b");

        assertThat(names(FieldRules.metadata(trailers)))
                .containsExactlyInAnyOrder(
                        "grpc-status", "grpc-message", "grpc-status-details-bin", "session_id.x", "My-Key-Bin", "user");
    }
}
