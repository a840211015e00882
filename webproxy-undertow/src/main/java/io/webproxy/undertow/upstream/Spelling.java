package io.webproxy.undertow.upstream;

import java.util.Locale;

/**
 * Spellings of a host name that differ in case only. For DNS and the system's resolver they are the same name (RFC
 * 4343), but the JVM caches each separately. So another spelling bypasses the JVM's cache, and is looked up in
 * everything that the system is configured to use: the hosts file, DNS with its search list and so on.
 *
 * <p>It may seem simpler to shorten the cache's time, but that is a security property of the whole JVM; and DNS asked
 * directly, by JNDI or by UDP, knows neither the hosts file nor the search list. If a spelling isn't found, as in the
 * hosts file with musl, the previous addresses stay in use.
 */
final class Spelling {
    /**
     * Enough for one spelling a second during the 30 s for which the JVM caches each; and the cache gets no more than
     * these for a name.
     */
    private static final int MOST_LETTERS = 6;

    private Spelling() {}

    /** The spelling with a number: consecutive numbers give different ones. A name without letters has only one. */
    static String of(String host, int number) {
        String lower = host.toLowerCase(Locale.ROOT);
        int letters = 0;
        for (int i = 0; i < lower.length() && letters < MOST_LETTERS; i++) {
            letters += isLetter(lower.charAt(i)) ? 1 : 0;
        }
        if (letters == 0) {
            return host;
        }
        // 0 is the ordinary spelling
        int upper = 1 + Math.floorMod(number, (1 << letters) - 1);
        StringBuilder spelled = new StringBuilder(lower);
        int letter = 0;
        for (int i = 0; i < lower.length() && letter < letters; i++) {
            if (isLetter(lower.charAt(i))) {
                if ((upper >> letter & 1) != 0) {
                    spelled.setCharAt(i, (char) (lower.charAt(i) - 'a' + 'A'));
                }
                letter++;
            }
        }
        return spelled.toString();
    }

    private static boolean isLetter(char c) {
        return c >= 'a' && c <= 'z';
    }
}
