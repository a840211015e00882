package io.webproxy.undertow.tls;

import static org.assertj.core.api.Assertions.assertThat;

import javax.net.ssl.SSLException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Why TLS to an upstream fails, as logs say it: in one line, with the remedy where there is one. */
class TlsFailureTest {
    private static final String CLEARTEXT =
            "it doesn't speak TLS (expected: http:// or h2c:// for an upstream in cleartext)";

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "Unable to parse TLS packet header|" + CLEARTEXT,
                "Unsupported or unrecognized SSL message|" + CLEARTEXT,
                "PKIX path building failed: x.SunCertPathBuilderException: unable to find valid certification path to"
                        + " requested target|its certificate isn't trusted (expected: one that Upstream.withTrust(…) or the"
                        + " JVM's trust store, -Djavax.net.ssl.trustStore, vouches for)",
                "java.lang.RuntimeException: Unexpected error: the trustAnchors parameter must be non-empty"
                        + "|the JVM's trust store has no certificates that can be read (expected:"
                        + " -Djavax.net.ssl.trustStorePassword beside -Djavax.net.ssl.trustStore)",
                "No subject alternative names matching IP address 127.0.0.2 found|its certificate isn't for this host:"
                        + " No subject alternative names matching IP address 127.0.0.2 found",
                "Received fatal alert: handshake_failure|the upstream sends the alert handshake_failure",
                "Read error: ssl=0x7f76780198f8: Failure in SSL library, usually a protocol error¶"
                        + "error:10000412:SSL routines:OPENSSL_internal:SSLV3_ALERT_BAD_CERTIFICATE (a/b.cc:491)"
                        + "|the upstream sends the alert bad_certificate (expected: a certificate that it trusts, by"
                        + " Upstream.withIdentity(…))",
                "Read error: ssl=0x7f76780198f8: Failure in SSL library, usually a protocol error¶"
                        + "error:100000f7:SSL routines:OPENSSL_internal:UNSUPPORTED_PROTOCOL (a/b.cc:491)"
                        + "|unsupported protocol",
                "Something else¶more|Something else",
            })
    void isOneLineThatNamesTheRemedy(String message, String text) {
        assertThat(TlsFailure.text(new SSLException(message.replace('¶', '\n'))))
                .isEqualTo(text);
    }
}
