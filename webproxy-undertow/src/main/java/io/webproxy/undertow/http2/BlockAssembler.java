package io.webproxy.undertow.http2;

import java.nio.ByteBuffer;

/**
 * Assembles the field block of a HEADERS frame and its CONTINUATION frames (RFC 9113 section 4.3), up to a limit. Not
 * thread-safe.
 */
final class BlockAssembler {
    private static final int MOST_FRAGMENTS = 64;
    private static final FrameHead NONE = new FrameHead(0, 0, 0, 0);

    private final int most;
    private FrameHead head = NONE;
    private ByteBuffer bytes = ByteBuffer.allocate(0);
    private int fragments;
    private int opened;
    private boolean open;
    private boolean kept;
    private boolean onItself;

    /** For blocks of at most {@code most} bytes. */
    BlockAssembler(int most) {
        this.most = most;
    }

    /** A HEADERS frame starts a block; {@code onItself}: whether its stream depends on itself. */
    void open(FrameHead begun, boolean onItself) {
        this.head = begun;
        this.onItself = onItself;
        this.open = true;
        this.kept = false;
        this.fragments = 0;
        opened++;
    }

    /**
     * Adds a fragment, which must not change until {@link #keep} or {@link #close}; false if the block is too large.
     */
    boolean add(ByteBuffer fragment) {
        fragments++;
        int sum = (kept ? bytes.position() : 0) + fragment.remaining();
        if (sum > most || fragments > MOST_FRAGMENTS) {
            return false;
        }
        if (kept) {
            if (bytes.remaining() < fragment.remaining()) {
                bytes = ByteBuffer.allocate(Math.min(most, 2 * sum)).put(bytes.flip());
            }
            bytes.put(fragment);
        } else {
            bytes = fragment;
        }
        return true;
    }

    /** More fragments are to come: copies those that were added. */
    void keep() {
        if (!kept) {
            kept = true;
            bytes = ByteBuffer.allocate(Math.max(64, 2 * bytes.remaining())).put(bytes);
        }
    }

    /** The block is complete. */
    ByteBuffer close() {
        ByteBuffer all = kept ? bytes.flip() : bytes;
        bytes = ByteBuffer.allocate(0);
        open = false;
        return all;
    }

    boolean isOpen() {
        return open;
    }

    int stream() {
        return head.stream();
    }

    /** The head of the HEADERS frame that began the last block. */
    FrameHead head() {
        return head;
    }

    boolean isOnItself() {
        return onItself;
    }

    /** How many blocks have started so far. */
    int opened() {
        return opened;
    }
}
