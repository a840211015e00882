import java.io.IOException;
import okhttp3.Credentials;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;

/** OkHttp behind a proxy, over HTTP/2: {@code OkHttp URL}, with a trust store set by system properties. */
public final class OkHttp {
    private static final int SIZE = 3_000_000;

    private OkHttp() {}

    public static void main(String[] args) throws IOException {
        String url = args[0];
        RequestBody body = RequestBody.create(new byte[SIZE], MediaType.get("application/octet-stream"));
        OkHttpClient stranger = new OkHttpClient();
        try (Response refused = stranger.newCall(
                        new Request.Builder().url(url + "upload").post(body).build())
                .execute()) {
            check("early 401", refused.code() == 401);
        }
        OkHttpClient client = new OkHttpClient.Builder()
                .authenticator((route, response) -> response.request().header("Authorization") != null
                        ? null
                        : response.request()
                                .newBuilder()
                                .header("Authorization", Credentials.basic("user", "secret"))
                                .build())
                .build();
        for (int i = 0; i < 20; i++) {
            try (Response hello = client.newCall(
                            new Request.Builder().url(url + "api/hello").build())
                    .execute()) {
                check(
                        "hello",
                        hello.code() == 200 && hello.protocol().toString().equals("h2"));
            }
        }
        try (Response uploaded = client.newCall(
                        new Request.Builder().url(url + "upload").post(body).build())
                .execute()) {
            check("upload", uploaded.body().string().contains("\"bytes\":" + SIZE));
        }
        try (Response download = client.newCall(new Request.Builder()
                        .url(url + "download/a?size=" + SIZE)
                        .build())
                .execute()) {
            check("download", download.body().bytes().length == SIZE);
        }
        System.exit(0);
    }

    private static void check(String what, boolean right) {
        if (!right) {
            System.err.println(what + ": not what was expected");
            System.exit(1);
        }
    }
}
