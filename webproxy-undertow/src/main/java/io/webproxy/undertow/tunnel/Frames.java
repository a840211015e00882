package io.webproxy.undertow.tunnel;

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * Encodes messages as frames: four bytes of length, one of type, then the body. Numbers are big-endian; strings are
 * UTF-8 after a two-byte length. Pure.
 */
final class Frames {
    /** The largest length of a frame. */
    static final int MAX_FRAME = 16 * 1024;

    /** The size of the length field in bytes. */
    static final int HEADER = 4;

    /** The maximum number of items in one message: this many of the longest names fit into a frame. */
    static final int MAX_ITEMS = 48;

    /** The longest string; longer ones are cut when written. */
    static final int MAX_TEXT = 300;

    static final int TOKEN = 32;

    static final int HELLO = 1;
    static final int WELCOME = 2;
    static final int ANNOUNCE = 3;
    static final int RESULT = 4;
    static final int WITHDRAW = 5;
    static final int CONNECT = 6;
    static final int READY = 7;
    static final int USE = 8;
    static final int REFUSE = 9;
    static final int DROP = 10;
    static final int PING = 11;
    static final int PONG = 12;
    static final int GOODBYE = 13;

    /** Unknown message types from this one on are skipped; lower ones are errors. */
    static final int FIRST_SKIPPED = 128;

    /** Follows the version in a hello, so that no other protocol is mistaken for this one. */
    static final byte[] MAGIC = {'w', 'p', 't', 'n'};

    private byte[] bytes = new byte[128];
    private int length = HEADER;

    private Frames() {}

    /** The frame of a message. */
    static ByteBuffer of(Message message) {
        Frames out = new Frames();
        out.message(message);
        ByteBuffer frame = ByteBuffer.wrap(out.bytes, 0, out.length);
        frame.putInt(0, out.length - HEADER);
        return frame;
    }

    private void message(Message message) {
        if (message instanceof Message.Hello hello) {
            number(HELLO, 1);
            raw(MAGIC);
            number(hello.version(), 1);
            number(hello.capabilities(), 8);
            number(hello.instance().getMostSignificantBits(), 8);
            number(hello.instance().getLeastSignificantBits(), 8);
            text(hello.software());
        } else if (message instanceof Message.Welcome welcome) {
            number(WELCOME, 1);
            number(welcome.version(), 1);
            number(welcome.capabilities(), 8);
            text(welcome.agent());
            text(welcome.software());
        } else if (message instanceof Message.Announce announce) {
            number(ANNOUNCE, 1);
            number(announce.sequence(), 4);
            number(announce.offers().size(), 2);
            for (Message.Offer offer : announce.offers()) {
                item(offer.item());
                number(offer.seconds(), 4);
            }
        } else if (message instanceof Message.Result result) {
            number(RESULT, 1);
            number(result.sequence(), 4);
            number(result.verdicts().size(), 2);
            for (Message.Verdict verdict : result.verdicts()) {
                number(verdict.code(), 2);
                text(verdict.text());
            }
        } else if (message instanceof Message.Withdraw withdraw) {
            number(WITHDRAW, 1);
            items(withdraw.items());
        } else {
            ofConnection(message);
        }
    }

    private void ofConnection(Message message) {
        if (message instanceof Message.Connect connect) {
            number(CONNECT, 1);
            number(connect.id(), 8);
            raw(connect.token());
            visitor(connect.visitor());
        } else if (message instanceof Message.Ready ready) {
            number(READY, 1);
            number(ready.id(), 8);
            raw(ready.token());
        } else if (message instanceof Message.Use use) {
            number(USE, 1);
            number(use.id(), 8);
            visitor(use.visitor());
        } else if (message instanceof Message.Refuse refuse) {
            number(REFUSE, 1);
            number(refuse.id(), 8);
            text(refuse.text());
        } else if (message instanceof Message.Drop drop) {
            number(DROP, 1);
            number(drop.id(), 8);
        } else if (message instanceof Message.Ping ping) {
            number(PING, 1);
            number(ping.number(), 8);
        } else if (message instanceof Message.Pong pong) {
            number(PONG, 1);
            number(pong.number(), 8);
        } else if (message instanceof Message.Goodbye goodbye) {
            number(GOODBYE, 1);
            number(goodbye.code(), 2);
            text(goodbye.text());
        } else if (message instanceof Message.Unknown unknown) {
            number(unknown.type(), 1);
        }
    }

    private void items(List<Message.Item> items) {
        number(items.size(), 2);
        items.forEach(this::item);
    }

    private void item(Message.Item item) {
        number(item.kind().code(), 1);
        if (item.kind() == Message.Kind.NAME) {
            text(item.name());
        } else {
            number(item.port(), 2);
        }
    }

    private void visitor(Message.Visitor visitor) {
        item(visitor.item());
        text(visitor.name());
        address(visitor.client());
        address(visitor.local());
    }

    private void address(InetSocketAddress address) {
        byte[] raw = address.getAddress().getAddress();
        number(raw.length, 1);
        raw(raw);
        number(address.getPort(), 2);
    }

    private void text(String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        if (utf8.length > MAX_TEXT) {
            // between two characters
            int end = MAX_TEXT;
            while ((utf8[end] & 0xc0) == 0x80) {
                end--;
            }
            utf8 = Arrays.copyOf(utf8, end);
        }
        number(utf8.length, 2);
        raw(utf8);
    }

    private void raw(byte[] more) {
        grow(more.length);
        System.arraycopy(more, 0, bytes, length, more.length);
        length += more.length;
    }

    private void number(long value, int width) {
        grow(width);
        for (int shift = 8 * (width - 1); shift >= 0; shift -= 8) {
            bytes[length++] = (byte) (value >> shift);
        }
    }

    private void grow(int more) {
        if (length + more > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, length + more));
        }
    }
}
