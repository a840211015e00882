package io.webproxy.undertow.tunnel;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;

/** Parses the type and body of one frame, once. Missing bytes read as zero, and make it malformed. */
final class MessageBody {
    private static final int MOST_SECONDS = Integer.MAX_VALUE;
    private static final InetSocketAddress NOWHERE = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

    private final byte[] bytes;
    private final int end;
    private int at;
    private boolean failed;

    MessageBody(byte[] bytes, int end) {
        this.bytes = bytes;
        this.end = end;
    }

    FrameReader.Step read() {
        int type = number(1);
        if (type >= Frames.FIRST_SKIPPED) {
            return new FrameReader.Step.Whole(new Message.Unknown(type));
        }
        Message message = type <= Frames.WITHDRAW ? ofChannel(type) : ofConnection(type);
        if (message instanceof Message.Unknown) {
            return new FrameReader.Step.Malformed("a message of unknown type " + type);
        }
        if (failed || at != end) {
            return new FrameReader.Step.Malformed("a message of type " + type + " that can't be decoded");
        }
        return new FrameReader.Step.Whole(message);
    }

    private Message ofChannel(int type) {
        return switch (type) {
            case Frames.HELLO -> {
                if (!Arrays.equals(raw(Frames.MAGIC.length), Frames.MAGIC)) {
                    failed = true;
                }
                yield new Message.Hello(number(1), big(), new UUID(big(), big()), text());
            }
            case Frames.WELCOME -> new Message.Welcome(number(1), big(), text(), text());
            case Frames.ANNOUNCE -> {
                int sequence = number(4);
                List<Message.Offer> offers = new ArrayList<>();
                for (int left = count(); left > 0 && !failed; left--) {
                    offers.add(new Message.Offer(item(), seconds()));
                }
                yield new Message.Announce(sequence, offers);
            }
            case Frames.RESULT -> {
                int sequence = number(4);
                List<Message.Verdict> verdicts = new ArrayList<>();
                for (int left = count(); left > 0 && !failed; left--) {
                    verdicts.add(new Message.Verdict(number(2), text()));
                }
                yield new Message.Result(sequence, verdicts);
            }
            case Frames.WITHDRAW -> {
                List<Message.Item> items = new ArrayList<>();
                for (int left = count(); left > 0 && !failed; left--) {
                    items.add(item());
                }
                yield new Message.Withdraw(items);
            }
            default -> new Message.Unknown(type);
        };
    }

    private Message ofConnection(int type) {
        return switch (type) {
            case Frames.CONNECT -> new Message.Connect(big(), raw(Frames.TOKEN), visitor());
            case Frames.READY -> new Message.Ready(big(), raw(Frames.TOKEN));
            case Frames.USE -> new Message.Use(big(), visitor());
            case Frames.REFUSE -> new Message.Refuse(big(), text());
            case Frames.DROP -> new Message.Drop(big());
            case Frames.PING -> new Message.Ping(big());
            case Frames.PONG -> new Message.Pong(big());
            case Frames.GOODBYE -> new Message.Goodbye(number(2), text());
            default -> new Message.Unknown(type);
        };
    }

    private int count() {
        int count = number(2);
        failed |= count > Frames.MAX_ITEMS;
        return count;
    }

    private long seconds() {
        long seconds = Integer.toUnsignedLong(number(4));
        return Math.min(seconds, MOST_SECONDS);
    }

    private Message.Item item() {
        int kind = number(1);
        if (kind == Message.Kind.NAME.code()) {
            return Message.Item.name(text());
        }
        failed |= kind != Message.Kind.PORT.code();
        return Message.Item.port(number(2));
    }

    private Message.Visitor visitor() {
        return new Message.Visitor(item(), text(), address(), address());
    }

    private InetSocketAddress address() {
        int width = number(1);
        if (width != 4 && width != 16) {
            failed = true;
            return NOWHERE;
        }
        try {
            return new InetSocketAddress(InetAddress.getByAddress(raw(width)), number(2));
        } catch (UnknownHostException e) {
            failed = true;
            return NOWHERE;
        }
    }

    private String text() {
        int length = number(2);
        if (length > Frames.MAX_TEXT) {
            failed = true;
            return "";
        }
        byte[] utf8 = raw(length);
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(utf8))
                    .toString();
            // the text may get into logs
            failed |= text.chars().anyMatch(Character::isISOControl);
            return text;
        } catch (CharacterCodingException e) {
            failed = true;
            return "";
        }
    }

    private byte[] raw(int count) {
        if (end - at < count) {
            failed = true;
            at = end;
            return new byte[count];
        }
        byte[] raw = Arrays.copyOfRange(bytes, at, at + count);
        at += count;
        return raw;
    }

    private int number(int width) {
        return (int) big(width);
    }

    private long big() {
        return big(8);
    }

    private long big(int width) {
        if (end - at < width) {
            failed = true;
            at = end;
            return 0;
        }
        long value = 0;
        for (int i = 0; i < width; i++) {
            value = value << 8 | (bytes[at++] & 0xff);
        }
        return value;
    }
}
