package io.webproxy.acme.testing;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** A DNS server by UDP (RFC 1035 section 4): answers with what it is given, NXDOMAIN else. */
public final class TestDns implements AutoCloseable {
    static final int CAA = 257;
    private static final int A = 1;
    private static final int AAAA = 28;

    private final Map<String, List<byte[]>> records = new ConcurrentHashMap<>();
    public final Set<String> failing = ConcurrentHashMap.newKeySet();
    private final DatagramSocket socket;
    private final Thread thread;

    public TestDns() throws IOException {
        socket = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        thread = new Thread(this::answer, "test-dns");
        thread.start();
    }

    public InetSocketAddress address() {
        return (InetSocketAddress) socket.getLocalSocketAddress();
    }

    public TestDns host(String name, String address) throws IOException {
        byte[] bytes = InetAddress.getByName(address).getAddress();
        return add(name, bytes.length == 4 ? A : AAAA, bytes);
    }

    public TestDns caa(String name, int flags, String tag, String value) {
        byte[] text = (tag + value).getBytes(StandardCharsets.ISO_8859_1);
        byte[] data = new byte[2 + text.length];
        data[0] = (byte) flags;
        data[1] = (byte) tag.length();
        System.arraycopy(text, 0, data, 2, text.length);
        return add(name, CAA, data);
    }

    private TestDns add(String name, int type, byte[] data) {
        records.computeIfAbsent(name + " " + type, key -> new CopyOnWriteArrayList<>())
                .add(data);
        return this;
    }

    private void answer() {
        byte[] buffer = new byte[1500];
        while (!socket.isClosed()) {
            try {
                DatagramPacket query = new DatagramPacket(buffer, buffer.length);
                socket.receive(query);
                byte[] answer = answer(buffer);
                socket.send(new DatagramPacket(answer, answer.length, query.getSocketAddress()));
            } catch (IOException e) {
                // The end, or nobody who listens.
            }
        }
    }

    private byte[] answer(byte[] query) {
        StringBuilder asked = new StringBuilder();
        int at = 12;
        while (query[at] != 0) {
            asked.append(asked.length() == 0 ? "" : ".")
                    .append(new String(query, at + 1, query[at], StandardCharsets.US_ASCII));
            at += 1 + query[at];
        }
        int type = (query[at + 1] & 0xff) << 8 | query[at + 2] & 0xff;
        String name = asked.toString().toLowerCase(java.util.Locale.ROOT);
        List<byte[]> found = records.getOrDefault(name + " " + type, List.of());
        boolean exists = records.keySet().stream().anyMatch(key -> key.startsWith(name + " "));

        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(query, 0, 2);
        out.write(0x81);
        out.write(0x80 | (failing.contains(name) ? 2 : exists ? 0 : 3));
        out.writeBytes(new byte[] {0, 1, 0, (byte) found.size(), 0, 0, 0, 0});
        out.write(query, 12, at + 5 - 12);
        for (byte[] data : found) {
            out.writeBytes(new byte[] {(byte) 0xc0, 12, (byte) (type >> 8), (byte) type, 0, 1, 0, 0, 0, 60});
            out.writeBytes(new byte[] {(byte) (data.length >> 8), (byte) data.length});
            out.writeBytes(data);
        }
        return out.toByteArray();
    }

    @Override
    public void close() throws InterruptedException {
        socket.close();
        thread.join();
    }
}
