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
        public void control(ClientConnection admitted) {
            admitted.cut();
        }

        @Override
        public void data(ClientConnection admitted, ByteBuffer read) {
            admitted.cut();
        }

        @Override
        public void client(ClientConnection admitted, Peeked.ClientHello hello, ByteBuffer read) {
            admitted.cut();
        }
    };

    /** Whether an agent has announced the name that a client asks for, or may be about to. */
    boolean serves(Peeked.ClientHello hello);

    /** An agent's control channel; its ClientHello is read again. */
    void control(ClientConnection admitted);

    /** An agent's data connection, with the bytes that were read. */
    void data(ClientConnection admitted, ByteBuffer read);

    /** A client of a service behind an agent, with the bytes that were read. */
    void client(ClientConnection admitted, Peeked.ClientHello hello, ByteBuffer read);
}
