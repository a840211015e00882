package io.webproxy.undertow.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.SocketException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BindFailureTest {
    private static String sentence(String host, int port, String message) {
        return BindFailure.sentence(InetSocketAddress.createUnresolved(host, port), new BindException(message));
    }

    @ParameterizedTest
    @CsvSource({
        "8443, Address already in use",
        "80, 'Address already in use: bind'",
        "8443, 'Address already in use (Bind failed)'",
        "8443, Address In Use"
    })
    void takenPortIsNamedWithTheFix(int port, String message) {
        assertThat(sentence("127.0.0.1", port, message))
                .isEqualTo(
                        "Port " + port + " is already in use: stop the program that uses it, or choose another port.");
    }

    @ParameterizedTest
    @CsvSource({"443, Permission denied", "80, 'Permission denied: bind'", "443, Access denied"})
    void missingPrivilegeIsNamedWithTheFix(int port, String message) {
        assertThat(sentence("0.0.0.0", port, message))
                .isEqualTo("Port " + port + " needs a privilege that this process doesn't have: choose a port above"
                        + " 1023, or grant CAP_NET_BIND_SERVICE.");
    }

    @ParameterizedTest
    @CsvSource({"Cannot assign requested address", "'Cannot assign requested address: bind'", "Address not available"})
    void foreignAddressIsNamedWithTheFix(String message) {
        assertThat(sentence("192.0.2.1", 8443, message))
                .isEqualTo("bind: 192.0.2.1 (expected: an address of this machine, such as 127.0.0.1 or 0.0.0.0).");
    }

    @Test
    void otherReasonIsToldAsItIs() {
        assertThat(sentence("127.0.0.1", 8443, "Too many open files"))
                .isEqualTo("Port 8443 can't be opened on 127.0.0.1: Too many open files.");
        assertThat(BindFailure.sentence(InetSocketAddress.createUnresolved("a", 1), new IOException()))
                .startsWith("Port 1 can't be opened on a: ");
    }

    @Test
    void reasonOfThisSystemIsUnderstood() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                ServerSocket second = new ServerSocket()) {
            InetSocketAddress address = new InetSocketAddress(taken.getInetAddress(), taken.getLocalPort());
            String sentence = "";
            try {
                second.bind(address);
            } catch (SocketException e) {
                sentence = BindFailure.sentence(address, e);
            }
            assertThat(sentence).startsWith("Port " + taken.getLocalPort() + " is already in use: ");
        }
    }
}
