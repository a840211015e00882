package io.webproxy.undertow.endpoint;

import io.webproxy.undertow.sniff.Peeked;
import java.nio.ByteBuffer;

/**
 * Takes connections that belong to a server's tunnels. All but the first method are called on the connection's IO
 * thread.
 */
public interface Tunnels {
    /** For a server without tunnels. */
    Tunnels NONE = new Tunnels() {
        @Override
        public boolean serves(Peeked.ClientHello hello) {
            return false;
        }

        @Override
        public void control(ClientConnection client) {
            client.cut();
        }

        @Override
        public void data(ClientConnection client, ByteBuffer read) {
            client.cut();
        }

        @Override
        public void client(ClientConnection client, Peeked.ClientHello hello, ByteBuffer read) {
            client.cut();
        }
    };

    /** Whether an agent has announced the name that a client asks for, or may be about to. */
    boolean serves(Peeked.ClientHello hello);

    /** An agent's control channel; its ClientHello is read again. */
    void control(ClientConnection client);

    /** An agent's data connection, with the bytes that were read. */
    void data(ClientConnection client, ByteBuffer read);

    /** A client of a service behind an agent, with the bytes that were read. */
    void client(ClientConnection client, Peeked.ClientHello hello, ByteBuffer read);
}
