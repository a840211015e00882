package io.webproxy.undertow.forward;

import io.undertow.util.HeaderMap;
import io.undertow.util.HttpString;
import io.webproxy.spi.HeaderEdit;
import java.util.List;

/** Applies configured changes to the fields of a message; fields that frame it can't be among them. Pure. */
final class HeaderEdits {
    private HeaderEdits() {}

    /** Applies the changes in order. */
    static void apply(List<HeaderEdit> edits, HeaderMap fields) {
        if (edits.isEmpty()) {
            // most routes: no iterator
            return;
        }
        for (HeaderEdit edit : edits) {
            HttpString name = new HttpString(edit.name());
            switch (edit.kind()) {
                case SET -> fields.put(name, edit.value());
                case ADD -> fields.add(name, edit.value());
                case REMOVE -> fields.remove(name);
            }
        }
    }
}
