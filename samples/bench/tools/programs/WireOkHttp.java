import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import okhttp3.Call;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;

/** OkHttp for wire-clients.sh: {@code WireOkHttp h1|h2 URL}, with a trust store set by system properties. */
public final class WireOkHttp {
    private static OkHttpClient client;

    private WireOkHttp() {}

    public static void main(String[] args) throws Exception {
        Protocol protocol = args[0].equals("h2") ? Protocol.HTTP_2 : Protocol.HTTP_1_1;
        String url = args[1] + "wire/";
        client = new OkHttpClient.Builder()
                .protocols(
                        protocol == Protocol.HTTP_2
                                ? List.of(Protocol.HTTP_2, Protocol.HTTP_1_1)
                                : List.of(Protocol.HTTP_1_1))
                .build();
        byte[] body = new byte[10_000_000];
        new Random(1).nextBytes(body);
        String sha =
                HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(body));
        check("get", () -> {
            try (Response said = call(url + "echo?a=b").execute()) {
                return wanted(
                        said.protocol() + " " + said.body().string().contains("\"/wire/echo?a=b\""),
                        protocol + " true");
            }
        });
        check("post", () -> {
            try (Response said = client.newCall(new Request.Builder()
                            .url(url + "echo")
                            .post(RequestBody.create(body))
                            .build())
                    .execute()) {
                return wanted(said.body().string().contains(sha), true);
            }
        });
        check("trailers", () -> {
            try (Response said = client.newCall(new Request.Builder()
                            .url(url + "echo")
                            .post(RequestBody.create(body))
                            .build())
                    .execute()) {
                said.body().string();
                return wanted(String.valueOf(said.trailers().get("x-sum")), sha);
            }
        });
        check("events", () -> {
            try (Response events = call(url + "events").execute()) {
                events.body().source().readByteArray(9);
                long begin = System.nanoTime();
                int rest = events.body().source().readByteArray().length;
                return wanted(rest + " " + (System.nanoTime() - begin > 300_000_000), "36 true");
            }
        });
        check("parallel", () -> {
            ExecutorService threads = Executors.newFixedThreadPool(100);
            List<Future<String>> answers = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                String each = url + "echo?n=" + i;
                answers.add(threads.submit(() -> {
                    try (Response said = call(each).execute()) {
                        return said.body().string();
                    }
                }));
            }
            for (int i = 0; i < 100; i++) {
                String said = answers.get(i).get();
                if (!said.contains("\"/wire/echo?n=" + i + "\"")) {
                    return said;
                }
            }
            return "ok";
        });
        check("cancel", () -> {
            String id = "okhttp" + System.nanoTime();
            Call endless = call(url + "endless?" + id);
            try (Response response = endless.execute()) {
                response.body().source().readByteArray(50_000);
                endless.cancel();
            }
            try (Response said = call(url + "gone?" + id).execute()) {
                return wanted(said.body().string(), "gone");
            }
        });
        System.exit(0);
    }

    private static Call call(String url) {
        return client.newCall(new Request.Builder().url(url).build());
    }

    private static String wanted(Object seen, Object wanted) {
        return seen.equals(wanted) ? "ok" : seen + " (expected: " + wanted + ")";
    }

    private static void check(String name, Callable<String> what) {
        String said;
        try {
            said = what.call();
        } catch (Exception e) {
            said = e.toString();
        }
        System.out.println(name + " " + said);
    }
}
