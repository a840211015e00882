package io.webproxy.undertow.exchange;

import io.undertow.util.HttpString;
import java.util.ArrayList;
import java.util.List;

/** Keeps the field lines of a head; what can't stand in a line is refused. */
final class HeadLines implements FieldWriter {
    private final List<String> lines = new ArrayList<>();

    List<String> lines() {
        return lines;
    }

    @Override
    public void field(HttpString name, String value) {
        if (value.chars().anyMatch(c -> c > 0xff || c == 0x7f || (c < ' ' && c != '\t'))) {
            throw new IllegalArgumentException("a field value has a control character");
        }
        lines.add(name + ": " + value);
    }
}
