package io.webproxy.undertow.forward;

import io.undertow.util.HttpString;
import io.webproxy.undertow.upstream.HeadWriter;
import io.webproxy.undertow.upstream.UnwritableException;
import java.util.ArrayList;
import java.util.List;

/** Keeps the field lines of a head; what can't stand in a line is refused. */
final class HeadLines implements HeadWriter {
    private final List<String> lines = new ArrayList<>();

    List<String> lines() {
        return lines;
    }

    @Override
    public boolean isHttp2() {
        return false;
    }

    @Override
    public void start(String method, String scheme, String authority, String target) {
        lines.clear();
    }

    @Override
    public void startWebSocket(String scheme, String authority, String target) {
        lines.clear();
    }

    @Override
    public void field(HttpString name, String value) {
        if (value.chars().anyMatch(c -> c > 0xff || c == 0x7f || (c < ' ' && c != '\t'))) {
            throw new UnwritableException("a field value has a control character");
        }
        lines.add(name + ": " + value);
    }
}
