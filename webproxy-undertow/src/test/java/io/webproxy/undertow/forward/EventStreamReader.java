package io.webproxy.undertow.forward;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** What a reader of an event stream makes of it (WHATWG HTML sections 9.2.5 and 9.2.6), word by word from there. */
final class EventStreamReader {
    private final List<String> dispatched = new ArrayList<>();
    private final StringBuilder data = new StringBuilder();
    private String type = "";
    private String idBuffer = "";
    private String lastId = "";

    private EventStreamReader() {}

    /**
     * Each event with its type, its data and the last event ID, each change of the reconnection time, and the last
     * event ID in the end.
     */
    static List<String> read(byte[] stream) {
        EventStreamReader reader = new EventStreamReader();
        String text = new String(stream, StandardCharsets.UTF_8);
        int start = text.startsWith("\uFEFF") ? 1 : 0;
        for (int i = start; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\n' || c == '\r') {
                reader.line(text.substring(start, i));
                if (c == '\r' && i + 1 < text.length() && text.charAt(i + 1) == '\n') {
                    i++;
                }
                start = i + 1;
            }
        }
        // what has no blank line behind it is discarded
        reader.dispatched.add("last event ID " + reader.lastId);
        return reader.dispatched;
    }

    private void line(String line) {
        int colon = line.indexOf(':');
        if (line.isEmpty()) {
            dispatch();
        } else if (colon < 0) {
            field(line, "");
        } else if (colon > 0) {
            String value = line.substring(colon + 1);
            field(line.substring(0, colon), value.startsWith(" ") ? value.substring(1) : value);
        }
    }

    private void field(String name, String value) {
        switch (name) {
            case "event" -> type = value;
            case "data" -> data.append(value).append('\n');
            case "id" -> idBuffer = value.indexOf('\0') < 0 ? value : idBuffer;
            case "retry" -> {
                if (value.matches("[0-9]+")) {
                    dispatched.add("retry " + value);
                }
            }
            default -> {}
        }
    }

    private void dispatch() {
        lastId = idBuffer;
        if (data.length() > 0) {
            data.setLength(data.length() - 1);
            dispatched.add("event " + (type.isEmpty() ? "message" : type) + " id " + lastId + " data " + data);
        }
        data.setLength(0);
        type = "";
    }

    /** Parts that a random stream is made of. */
    static final List<String> PARTS = List.of(
            "data: a",
            "data:b",
            "data",
            "data: é",
            "event: x",
            "id: 1",
            "id: 2",
            "id",
            "retry: 10",
            ":",
            ": comment",
            "unknown",
            " ",
            "\uFEFF",
            "\n",
            "\n",
            "\r",
            "\r",
            "\r\n",
            "\r\n",
            "\n\n",
            "\r\r",
            "\r\n\r\n");
}
