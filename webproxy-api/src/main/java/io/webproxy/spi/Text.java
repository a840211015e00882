package io.webproxy.spi;

/** Formats error messages: the name that users know, and the values. */
final class Text {
    private Text() {}

    static String of(String name, Object... namesAndValues) {
        StringBuilder text = new StringBuilder(name).append('[');
        for (int i = 0; i < namesAndValues.length; i += 2) {
            text.append(i == 0 ? "" : ", ")
                    .append(namesAndValues[i])
                    .append('=')
                    .append(namesAndValues[i + 1]);
        }
        return text.append(']').toString();
    }
}
