package io.webproxy.acme.check;

import io.webproxy.acme.ChallengeKind;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Evaluates a name's CAA records for a CA, as the CA itself does (RFC 8659 section 3). */
final class CaaPolicy {
    private static final Set<String> KNOWN =
            Set.of("issue", "issuewild", "iodef", "contactemail", "contactphone", "issuevmc", "issuemail");

    private CaaPolicy() {}

    /** Looks records up. */
    interface Records {
        List<CaaRecord> at(String name) throws IOException;
    }

    /**
     * Why CAA records keep the CA from issuing for a name; empty if they allow it.
     *
     * @param name a DNS name, possibly a wildcard
     * @param identities domains that name this CA in CAA records; if empty, only records that forbid every CA are
     *     noticed
     * @param kinds types of challenges that can be used for it
     * @return the end of a sentence
     */
    static Optional<String> objection(
            String name, Collection<String> identities, Collection<ChallengeKind> kinds, Records records)
            throws IOException {
        boolean wildcard = name.startsWith("*.");
        String at = wildcard ? name.substring(2) : name;
        while (!at.isEmpty()) {
            List<CaaRecord> found = records.at(at);
            if (!found.isEmpty()) {
                return objection(at, relevant(found, wildcard), found, identities, kinds);
            }
            int dot = at.indexOf('.');
            at = dot < 0 ? "" : at.substring(dot + 1);
        }
        return Optional.empty();
    }

    /** {@code issuewild} applies only to wildcards, and then instead of {@code issue} (RFC 8659 section 4.3). */
    private static List<CaaRecord> relevant(List<CaaRecord> records, boolean wildcard) {
        List<CaaRecord> wild = records.stream()
                .filter(record -> record.tag().equals("issuewild"))
                .toList();
        return wildcard && !wild.isEmpty()
                ? wild
                : records.stream()
                        .filter(record -> record.tag().equals("issue"))
                        .toList();
    }

    private static Optional<String> objection(
            String at,
            List<CaaRecord> relevant,
            List<CaaRecord> all,
            Collection<String> identities,
            Collection<ChallengeKind> kinds) {
        for (CaaRecord record : all) {
            if (record.critical() && !KNOWN.contains(record.tag())) {
                return Optional.of("the CAA records of " + at + " have a critical tag that no CA may ignore: "
                        + record.tag() + " \"" + record.value() + "\"");
            }
        }
        if (relevant.isEmpty()) {
            return Optional.empty();
        }
        List<CaaRecord> ours = relevant.stream()
                .filter(record -> identities.contains(record.issuer())
                        || (identities.isEmpty() && !record.issuer().isEmpty()))
                .toList();
        if (ours.isEmpty()) {
            return Optional.of("the CAA records of " + at + " forbid this CA: they allow "
                    + String.join(
                            ", ", relevant.stream().map(CaaPolicy::allowed).toList())
                    + (identities.isEmpty() ? "" : ", and this CA is " + String.join(" or ", identities)));
        }
        if (!kinds.isEmpty() && ours.stream().noneMatch(record -> kinds.stream().anyMatch(record::allows))) {
            return Optional.of("the CAA records of " + at + " allow none of the challenges that are possible here: \""
                    + ours.get(0).value() + "\"");
        }
        return Optional.empty();
    }

    private static String allowed(CaaRecord record) {
        return record.issuer().isEmpty() ? "none" : record.issuer();
    }
}
