package io.webproxy.undertow.exchange;

import io.webproxy.undertow.message.FieldParser;
import io.undertow.connector.ByteBufferPool;
import io.undertow.server.Connectors;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http.HttpServerConnection;
import io.undertow.util.HttpString;
import io.undertow.util.Protocols;
import org.xnio.OptionMap;
import org.xnio.StreamConnection;

/** A request that Undertow doesn't let through becomes an exchange of its own, with method and target only, so that it is answered and recorded as any. */
public final class RefusedHead {
    /** What a log shows of a method that is none. */
    private static final String NO_METHOD = "-";

    private RefusedHead() {}

    /** Has {@code root} answer what is wrong with the head that the gate has seen; on the connection's IO thread. */
    public static void answer(
            StreamConnection connection, HeadGate gate, HttpHandler root, ByteBufferPool buffers, OptionMap options) {
        HttpServerConnection own =
                new HttpServerConnection(connection, buffers, root, options, buffers.getBufferSize(), null);
        HttpServerExchange http = new HttpServerExchange(own, -1);
        String method = gate.method();
        String target = visible(gate.target());
        int query = target.indexOf('?');
        String uri = query < 0 ? target : target.substring(0, query);
        http.setProtocol(Protocols.HTTP_1_1);
        http.setRequestMethod(new HttpString(FieldParser.isToken(method) ? method : NO_METHOD));
        http.setRequestURI(uri, !uri.startsWith("/") && uri.contains("://"));
        http.setRequestPath(uri);
        http.setRelativePath(uri);
        http.setQueryString(query < 0 ? "" : target.substring(query + 1));
        http.setRequestScheme(own.getSslSession() == null ? "http" : "https");
        http.setPersistent(false);
        Connectors.executeRootHandler(root, http);
    }

    /** What comes before the first control character. */
    private static String visible(String target) {
        int end = 0;
        while (end < target.length() && target.charAt(end) > ' ' && target.charAt(end) != 0x7f) {
            end++;
        }
        return target.substring(0, end);
    }
}
