import io.undertow.Undertow;
import io.undertow.UndertowOptions;
import io.undertow.server.handlers.proxy.LoadBalancingProxyClient;
import io.undertow.server.handlers.proxy.ProxyHandler;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.Provider;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.conscrypt.Conscrypt;

/**
 * Undertow's own proxy, as its documentation sets it up, to compare with: HTTP/1.1 in cleartext, HTTP/1.1 and HTTP/2 over TLS, by Conscrypt where it
 * runs. Arguments: the upstream's URI, a PKCS#12 file, its password, IO threads. Prints {@code ready CLEARTEXT-PORT TLS-PORT}.
 */
final class StockUndertow {
    private StockUndertow() {}

    public static void main(String[] args) throws Exception {
        // the pool of a host copies these when the host is added
        LoadBalancingProxyClient upstream = new LoadBalancingProxyClient()
                .setConnectionsPerThread(1024)
                .setSoftMaxConnectionsPerThread(1024)
                .addHost(URI.create(args[0]));
        Undertow undertow = Undertow.builder()
                .addHttpListener(0, "127.0.0.1")
                .addHttpsListener(0, "127.0.0.1", context(Path.of(args[1]), args[2].toCharArray()))
                .setServerOption(UndertowOptions.ENABLE_HTTP2, true)
                .setIoThreads(Integer.parseInt(args[3]))
                .setHandler(ProxyHandler.builder().setProxyClient(upstream).build())
                .build();
        undertow.start();
        System.out.println("ready " + port(undertow, 0) + " " + port(undertow, 1));
    }

    private static int port(Undertow undertow, int listener) {
        return ((InetSocketAddress) undertow.getListenerInfo().get(listener).getAddress()).getPort();
    }

    private static SSLContext context(Path file, char[] password) throws Exception {
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(file)) {
            keys.load(in, password);
        }
        KeyManagerFactory managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(keys, password);
        Provider provider = Conscrypt.isAvailable() ? Conscrypt.newProvider() : null;
        SSLContext context = provider == null ? SSLContext.getInstance("TLS") : SSLContext.getInstance("TLS", provider);
        context.init(managers.getKeyManagers(), null, null);
        return context;
    }
}
