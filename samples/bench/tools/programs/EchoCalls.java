import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptors;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/**
 * The service and the client of grpc.go, by grpc-java over Netty.
 *
 * <p>{@code serve ADDRESS [CERT KEY]} prints {@code ready ADDRESS}; {@code check ADDRESS CA|- [NAME…]} prints {@code NAME ok}, or what was seen, for each check.
 */
public final class EchoCalls {
    private static final int MOST = 64 << 20;
    private static final ScheduledExecutorService LATER = Executors.newScheduledThreadPool(2, task -> {
        Thread thread = new Thread(task);
        thread.setDaemon(true);
        return thread;
    });

    private static final MethodDescriptor.Marshaller<byte[]> RAW = new MethodDescriptor.Marshaller<>() {
        @Override
        public InputStream stream(byte[] value) {
            return new ByteArrayInputStream(value);
        }

        @Override
        public byte[] parse(InputStream stream) {
            try {
                return stream.readAllBytes();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    };

    private static MethodDescriptor<byte[], byte[]> method(String name, MethodType type) {
        return MethodDescriptor.<byte[], byte[]>newBuilder(RAW, RAW)
                .setFullMethodName("webproxy.Echo/" + name)
                .setType(type)
                .build();
    }

    private static final MethodDescriptor<byte[], byte[]> UNARY = method("Unary", MethodType.UNARY);
    private static final MethodDescriptor<byte[], byte[]> NONE = method("None", MethodType.UNARY);
    private static final MethodDescriptor<byte[], byte[]> GONE = method("Gone", MethodType.UNARY);
    private static final MethodDescriptor<byte[], byte[]> UP = method("Up", MethodType.CLIENT_STREAMING);
    private static final MethodDescriptor<byte[], byte[]> DOWN = method("Down", MethodType.SERVER_STREAMING);
    private static final MethodDescriptor<byte[], byte[]> BOTH = method("Both", MethodType.BIDI_STREAMING);

    private static Metadata.Key<String> text(String name) {
        return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
    }

    private static final Metadata.Key<byte[]> META_BIN = Metadata.Key.of("x-meta-bin", Metadata.BINARY_BYTE_MARSHALLER);
    private static final Metadata.Key<byte[]> TAIL_BIN = Metadata.Key.of("x-tail-bin", Metadata.BINARY_BYTE_MARSHALLER);
    private static final Context.Key<Metadata> FIELDS = Context.key("fields");

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String string(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    public static void main(String[] args) throws Exception {
        if (args[0].equals("serve")) {
            serve(args);
        } else {
            check(args[1], args[2], Arrays.asList(args).subList(3, args.length));
        }
    }

    // --- the service

    private static final Map<String, BlockingQueue<Long>> CANCELLED = new ConcurrentHashMap<>();

    private static BlockingQueue<Long> cancelled(String id) {
        return CANCELLED.computeIfAbsent(id, any -> new LinkedBlockingQueue<>());
    }

    /** Puts the metadata where the handlers find it, and answers with what is to come back. */
    private static final class Fields implements ServerInterceptor {
        @Override
        public <A, B> ServerCall.Listener<A> interceptCall(
                ServerCall<A, B> call, Metadata headers, ServerCallHandler<A, B> next) {
            ServerCall<A, B> answering = new io.grpc.ForwardingServerCall.SimpleForwardingServerCall<>(call) {
                @Override
                public void sendHeaders(Metadata head) {
                    head.put(text("x-head"), or(headers.get(text("x-meta")), ""));
                    super.sendHeaders(head);
                }

                @Override
                public void close(Status status, Metadata trailers) {
                    trailers.put(text("tail.key_x"), or(headers.get(text("x-meta")), ""));
                    trailers.put(TAIL_BIN, or(headers.get(META_BIN), new byte[0]));
                    super.close(status, trailers);
                }
            };
            return Contexts.interceptCall(Context.current().withValue(FIELDS, headers), answering, headers, next);
        }
    }

    private static <T> T or(T value, T other) {
        return value == null ? other : value;
    }

    private static void unary(byte[] message, StreamObserver<byte[]> out) {
        String what = or(FIELDS.get().get(text("x-do")), "");
        if (what.equals("fail")) {
            out.onError(
                    Status.FAILED_PRECONDITION.withDescription("größer: 100 %").asRuntimeException());
        } else if (what.equals("wait")) {
            String id = FIELDS.get().get(text("x-id"));
            ((ServerCallStreamObserver<byte[]>) out)
                    .setOnCancelHandler(() -> cancelled(id).add(System.currentTimeMillis()));
        } else {
            out.onNext(
                    what.equals("deadline")
                            ? bytes("" + Context.current().getDeadline().timeRemaining(TimeUnit.MILLISECONDS))
                            : message);
            out.onCompleted();
        }
    }

    private static void gone(byte[] message, StreamObserver<byte[]> out) {
        LATER.execute(() -> {
            try {
                Long at = cancelled(string(message)).poll(5, TimeUnit.SECONDS);
                out.onNext(bytes(at == null ? "never" : at.toString()));
                out.onCompleted();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
    }

    private static StreamObserver<byte[]> up(StreamObserver<byte[]> out) {
        return new StreamObserver<>() {
            private int count;
            private int size;

            @Override
            public void onNext(byte[] message) {
                count++;
                size += message.length;
            }

            @Override
            public void onError(Throwable e) {}

            @Override
            public void onCompleted() {
                out.onNext(bytes(count + " " + size));
                out.onCompleted();
            }
        };
    }

    private static void down(byte[] message, StreamObserver<byte[]> out) {
        String[] parts = string(message).split(" ");
        next(Integer.parseInt(parts[0]), Long.parseLong(parts[1]), new byte[Integer.parseInt(parts[2])], out);
    }

    private static void next(int left, long pause, byte[] message, StreamObserver<byte[]> out) {
        for (int i = left; i > 0; i--) {
            out.onNext(message);
            if (pause > 0 && i > 1) {
                int rest = i - 1;
                LATER.schedule(() -> next(rest, pause, message, out), pause, TimeUnit.MILLISECONDS);
                return;
            }
        }
        out.onCompleted();
    }

    private static StreamObserver<byte[]> both(StreamObserver<byte[]> out) {
        return new StreamObserver<>() {
            @Override
            public void onNext(byte[] message) {
                out.onNext(message);
            }

            @Override
            public void onError(Throwable e) {}

            @Override
            public void onCompleted() {
                out.onCompleted();
            }
        };
    }

    private static void serve(String[] args) throws Exception {
        String[] address = args[1].split(":");
        NettyServerBuilder builder = NettyServerBuilder.forAddress(
                        new InetSocketAddress(address[0], Integer.parseInt(address[1])))
                .maxInboundMessageSize(MOST)
                .maxConcurrentCallsPerConnection(10_000)
                .addService(ServerInterceptors.intercept(
                        ServerServiceDefinition.builder("webproxy.Echo")
                                .addMethod(UNARY, ServerCalls.asyncUnaryCall(EchoCalls::unary))
                                .addMethod(GONE, ServerCalls.asyncUnaryCall(EchoCalls::gone))
                                .addMethod(UP, ServerCalls.asyncClientStreamingCall(EchoCalls::up))
                                .addMethod(DOWN, ServerCalls.asyncServerStreamingCall(EchoCalls::down))
                                .addMethod(BOTH, ServerCalls.asyncBidiStreamingCall(EchoCalls::both))
                                .build(),
                        new Fields()));
        if (args.length > 2) {
            builder.useTransportSecurity(new File(args[2]), new File(args[3]));
        }
        Server server = builder.build().start();
        System.out.println("ready " + address[0] + ":" + server.getPort());
        server.awaitTermination();
    }

    // --- the client

    private static ManagedChannel channel(String address, String ca) throws IOException {
        return Grpc.newChannelBuilder(
                        address,
                        ca.equals("-")
                                ? InsecureChannelCredentials.create()
                                : TlsChannelCredentials.newBuilder()
                                        .trustManager(new File(ca))
                                        .build())
                .maxInboundMessageSize(MOST)
                .build();
    }

    private interface Check {
        void run(Channel channel) throws Exception;
    }

    private static void equal(Object seen, Object expected) {
        if (!String.valueOf(seen).equals(String.valueOf(expected))) {
            throw new IllegalStateException(seen + " (expected: " + expected + ")");
        }
    }

    private static CallOptions within(long millis) {
        return CallOptions.DEFAULT.withDeadlineAfter(millis, TimeUnit.MILLISECONDS);
    }

    private static Metadata metadata(Object... namesAndValues) {
        Metadata fields = new Metadata();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            if (namesAndValues[i + 1] instanceof byte[] binary) {
                fields.put(META_BIN, binary);
            } else {
                fields.put(text((String) namesAndValues[i]), (String) namesAndValues[i + 1]);
            }
        }
        return fields;
    }

    private static Channel with(Channel channel, Object... namesAndValues) {
        return ClientInterceptors.intercept(
                channel, MetadataUtils.newAttachHeadersInterceptor(metadata(namesAndValues)));
    }

    private static StatusRuntimeException failure(
            Channel channel, MethodDescriptor<byte[], byte[]> method, long millis) {
        try {
            ClientCalls.blockingUnaryCall(channel, method, within(millis), new byte[0]);
            throw new IllegalStateException("it didn't fail");
        } catch (StatusRuntimeException e) {
            return e;
        }
    }

    /** How many milliseconds later than it was cancelled the service has seen it. */
    private static long cancelled(Channel channel, String id, long at) {
        return Long.parseLong(string(ClientCalls.blockingUnaryCall(channel, GONE, within(10_000), bytes(id)))) - at;
    }

    /** What a stream brings; its end is an empty array, or one with the text of the failure. */
    private static final class Received implements StreamObserver<byte[]> {
        private final BlockingQueue<Object> all = new LinkedBlockingQueue<>();

        @Override
        public void onNext(byte[] message) {
            all.add(message);
        }

        @Override
        public void onError(Throwable e) {
            all.add(e.toString());
        }

        @Override
        public void onCompleted() {
            all.add("end");
        }

        String next() throws InterruptedException {
            Object next = all.poll(30, TimeUnit.SECONDS);
            return next instanceof byte[] message ? string(message) : String.valueOf(next);
        }
    }

    private static StreamObserver<byte[]> open(Channel channel, Received received) {
        return ClientCalls.asyncBidiStreamingCall(channel.newCall(BOTH, within(60_000)), received);
    }

    private static void thousand(String address, String ca) throws Exception {
        List<ManagedChannel> channels = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            channels.add(channel(address, ca));
        }
        List<Received> received = new ArrayList<>();
        List<StreamObserver<byte[]>> sent = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            received.add(new Received());
            sent.add(open(channels.get(i % 16), received.get(i)));
            sent.get(i).onNext(bytes("first " + i));
        }
        for (int i = 0; i < 1000; i++) {
            equal(received.get(i).next(), "first " + i);
        }
        for (int i = 0; i < 1000; i++) {
            sent.get(i).onNext(bytes("second " + i));
        }
        for (int i = 0; i < 1000; i++) {
            equal(received.get(i).next(), "second " + i);
            sent.get(i).onCompleted();
            equal(received.get(i).next(), "end");
        }
        channels.forEach(ManagedChannel::shutdownNow);
    }

    private static void check(String address, String ca, List<String> names) throws Exception {
        String me = "java" + System.nanoTime();
        ManagedChannel channel = channel(address, ca);
        Map<String, Check> checks = new java.util.LinkedHashMap<>();
        checks.put(
                "unary",
                c -> equal(string(ClientCalls.blockingUnaryCall(c, UNARY, within(20_000), bytes("hello"))), "hello"));
        checks.put("metadata", c -> {
            AtomicReference<Metadata> head = new AtomicReference<>();
            AtomicReference<Metadata> tail = new AtomicReference<>();
            Channel capturing = ClientInterceptors.intercept(
                    with(c, "x-meta", "a, b", "x-meta-bin", new byte[] {0, -1, ','}),
                    MetadataUtils.newCaptureMetadataInterceptor(head, tail));
            ClientCalls.blockingUnaryCall(capturing, UNARY, within(20_000), new byte[0]);
            equal(head.get().get(text("x-head")), "a, b");
            equal(tail.get().get(text("tail.key_x")), "a, b");
            equal(Arrays.toString(tail.get().get(TAIL_BIN)), "[0, -1, 44]");
        });
        checks.put("failure", c -> {
            StatusRuntimeException e = failure(with(c, "x-do", "fail", "x-meta-bin", new byte[] {1}), UNARY, 20_000);
            equal(e.getStatus().getCode(), Status.Code.FAILED_PRECONDITION);
            equal(e.getStatus().getDescription(), "größer: 100 %");
            equal(Arrays.toString(e.getTrailers().get(TAIL_BIN)), "[1]");
        });
        checks.put(
                "trailers-only", c -> equal(failure(c, NONE, 20_000).getStatus().getCode(), Status.Code.UNIMPLEMENTED));
        checks.put("up", c -> {
            Received received = new Received();
            StreamObserver<byte[]> out = ClientCalls.asyncClientStreamingCall(c.newCall(UP, within(20_000)), received);
            for (int i = 0; i < 1000; i++) {
                out.onNext(new byte[i]);
            }
            out.onCompleted();
            equal(received.next(), "1000 499500");
            equal(received.next(), "end");
        });
        checks.put("down", c -> {
            int count = 0;
            Iterator<byte[]> messages =
                    ClientCalls.blockingServerStreamingCall(c, DOWN, within(20_000), bytes("1000 0 1234"));
            while (messages.hasNext()) {
                count++;
                equal(messages.next().length, 1234);
            }
            equal(count, 1000);
        });
        checks.put("paced", c -> {
            Iterator<byte[]> messages =
                    ClientCalls.blockingServerStreamingCall(c, DOWN, within(20_000), bytes("3 300 5"));
            messages.next();
            long start = System.nanoTime();
            messages.next();
            messages.next();
            if (System.nanoTime() - start < TimeUnit.MILLISECONDS.toNanos(500)) {
                throw new IllegalStateException("the first message was held back");
            }
            equal(messages.hasNext(), false);
        });
        checks.put("both", c -> {
            Received received = new Received();
            StreamObserver<byte[]> out = open(c, received);
            for (int i = 0; i < 500; i++) {
                out.onNext(bytes("message " + i));
                equal(received.next(), "message " + i);
            }
            out.onCompleted();
            equal(received.next(), "end");
        });
        checks.put("large", c -> {
            byte[] large = "0123456789abcdef".repeat(1 << 20).getBytes(StandardCharsets.US_ASCII);
            equal(Arrays.equals(ClientCalls.blockingUnaryCall(c, UNARY, within(30_000), large), large), true);
        });
        checks.put("deadline", c -> {
            long start = System.currentTimeMillis();
            StatusRuntimeException e = failure(with(c, "x-do", "wait", "x-id", me + "d"), UNARY, 300);
            equal(e.getStatus().getCode(), Status.Code.DEADLINE_EXCEEDED);
            long took = System.currentTimeMillis() - start;
            if (took < 290 || took > 700) {
                throw new IllegalStateException("after " + took + " ms");
            }
            long delay = cancelled(c, me + "d", start + 300);
            if (delay > 300) {
                throw new IllegalStateException("the service has seen it " + delay + " ms later");
            }
        });
        checks.put("deadline-told", c -> {
            long left = Long.parseLong(string(
                    ClientCalls.blockingUnaryCall(with(c, "x-do", "deadline"), UNARY, within(5000), new byte[0])));
            if (left < 4000 || left > 5100) {
                throw new IllegalStateException("" + left);
            }
        });
        checks.put("cancel", c -> {
            List<Long> delays = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                ClientCall<byte[], byte[]> call =
                        with(c, "x-do", "wait", "x-id", me + i).newCall(UNARY, within(20_000));
                Received received = new Received();
                ClientCalls.asyncUnaryCall(call, new byte[0], received);
                Thread.sleep(200);
                long at = System.currentTimeMillis();
                call.cancel("enough", null);
                delays.add(cancelled(c, me + i, at));
            }
            Collections.sort(delays);
            if (delays.get(2) > 100) {
                // one of them may come at a moment at which the machine is busy
                throw new IllegalStateException("the service has seen it after so many ms: " + delays);
            }
        });
        checks.put("thousand", c -> thousand(address, ca));
        checks.forEach((name, check) -> {
            if (!names.isEmpty() && !names.contains(name)) {
                return;
            }
            try {
                check.run(channel);
                System.out.println(name + " ok");
            } catch (Exception e) {
                System.out.println(name + " " + e.toString().replace('\n', ' '));
            }
        });
        channel.shutdownNow();
        System.exit(0);
    }
}
