package io.webproxy.samples.demo;

import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.undertow.util.Methods;
import io.undertow.util.SameThreadExecutor;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;

/**
 * A language model with a fixed answer, in the formats of chat clients: server-sent events, NDJSON, or one JSON object.
 */
final class Chat {
    private static final List<String> WORDS =
            List.of("Streams ", "flow ", "as ", "they ", "come, ", "and ", "nothing ", "healthy ", "is ", "cut.");
    private static final Pattern STREAM = Pattern.compile("\"stream\"\\s*:\\s*true");
    private static final int LARGEST_QUESTION = 1 << 20;
    private static final long THOUGHT_MILLIS = 300;

    private Chat() {}

    /** OpenAI's list of models, with only this one. */
    static void models(HttpServerExchange exchange, String name) {
        Reply.json(
                exchange,
                "{\"object\":\"list\",\"data\":[{\"id\":\"" + name
                        + "\",\"object\":\"model\",\"owned_by\":\"webproxy\"}]}");
    }

    /** OpenAI's chat completions: events with {@code "stream": true}, else one object after a delay. */
    static void completions(HttpServerExchange exchange) {
        whenAsked(exchange, question -> {
            if (STREAM.matcher(question).find()) {
                List<String> events = pieces(
                        word -> event(chunk("{\"content\":\"" + word + "\"}", "null")), event(chunk("{}", "\"stop\"")));
                events.add(event("[DONE]"));
                Pieces.send(exchange, "text/event-stream", events);
            } else {
                String answer =
                        "{\"id\":\"demo\",\"object\":\"chat.completion\",\"model\":\"demo\",\"choices\":[{\"index\":0,"
                                + "\"message\":{\"role\":\"assistant\",\"content\":\"" + String.join("", WORDS)
                                + "\"},\"finish_reason\":\"stop\"}]}";
                exchange.dispatch(
                        SameThreadExecutor.INSTANCE,
                        () -> exchange.getIoThread()
                                .executeAfter(
                                        () -> Reply.json(exchange, answer), THOUGHT_MILLIS, TimeUnit.MILLISECONDS));
            }
        });
    }

    /** Ollama's chat: one JSON object per line. */
    static void lines(HttpServerExchange exchange) {
        whenAsked(
                exchange,
                question -> Pieces.send(
                        exchange, "application/x-ndjson", pieces(word -> line(word, "false"), line("", "true"))));
    }

    /** A table for the browser to save: nothing in the request announces a download. */
    static void report(HttpServerExchange exchange) {
        if (Reply.allowsReading(exchange)) {
            exchange.getResponseHeaders().put(Headers.CONTENT_DISPOSITION, "attachment; filename=\"report.csv\"");
            Pieces.send(exchange, "text/csv", pieces(Chat::row, "total,10\n"));
        }
    }

    private static String row(String word) {
        String letters = word.replaceAll("\\W", "");
        return letters + "," + letters.length() + "\n";
    }

    private interface Answer {
        void to(String question);
    }

    private static void whenAsked(HttpServerExchange exchange, Answer answer) {
        if (Reply.allows(exchange, Methods.POST)) {
            exchange.setMaxEntitySize(LARGEST_QUESTION);
            exchange.getRequestReceiver()
                    .receiveFullString(
                            (asked, question) -> answer.to(question),
                            (asked, broken) -> Reply.text(asked, 413, "The question is too long."));
        }
    }

    private static List<String> pieces(UnaryOperator<String> piece, String last) {
        List<String> pieces = new ArrayList<>(WORDS.stream().map(piece).toList());
        pieces.add(last);
        return pieces;
    }

    private static String event(String data) {
        return "data: " + data + "\n\n";
    }

    private static String chunk(String delta, String reason) {
        return "{\"id\":\"demo\",\"object\":\"chat.completion.chunk\",\"model\":\"demo\",\"choices\":[{\"index\":0,\"delta\":"
                + delta + ",\"finish_reason\":" + reason + "}]}";
    }

    private static String line(String word, String done) {
        return "{\"model\":\"demo\",\"message\":{\"role\":\"assistant\",\"content\":\"" + word + "\"},\"done\":" + done
                + "}\n";
    }
}
