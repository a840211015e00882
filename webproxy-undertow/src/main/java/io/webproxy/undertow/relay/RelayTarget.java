package io.webproxy.undertow.relay;

import io.webproxy.undertow.deadline.Ejection;
import java.net.InetSocketAddress;

/**
 * One target of a rule, with its ejection. Thread-safe.
 *
 * @param text {@code host:port}, an IPv6 address in brackets
 */
record RelayTarget(String text, Dialer.Target dialled, Ejection ejection) {
    static RelayTarget of(InetSocketAddress address, Dialer dialer) {
        String host = address.getHostString();
        String text = (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + address.getPort();
        return new RelayTarget(text, dialer.target(host, address.getPort()), new Ejection());
    }
}
