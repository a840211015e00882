package io.webproxy.undertow.upstream;

import java.util.Locale;

/**
 * Spellings of a host name that differ in case alone. For DNS, and for the system's resolver, they are the same name
 * (RFC 4343); the JVM's cache of look-ups keeps each apart. So a name in another spelling is looked up anew, by
 * everything the system does look it up in: the hosts file, DNS with its search list, and what else is configured.
 *
 * <p>It may seem simpler to shorten the cache's time, but that is a security property of the whole JVM; and DNS asked
 * directly, by JNDI or by UDP, knows neither the hosts file nor the search list. Where a spelling finds nothing, as in
 * the hosts file of musl, the addresses from before stay in use.
 */
final class Spelling {
    /**
     * One a second outlasts the 30 s for which the JVM keeps each of them, and the cache gets no more than these for a
     * name.
     */
    private static final int MOST_LETTERS = 6;

    private Spelling() {}

    /** The spelling of a number: another one for the next number, in turns. A name without letters has one alone. */
    static String of(String host, int number) {
        String lower = host.toLowerCase(Locale.ROOT);
        int letters = 0;
        for (int i = 0; i < lower.length() && letters < MOST_LETTERS; i++) {
            letters += isLetter(lower.charAt(i)) ? 1 : 0;
        }
        if (letters == 0) {
            return host;
        }
        // 0 would be the spelling of every day
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
