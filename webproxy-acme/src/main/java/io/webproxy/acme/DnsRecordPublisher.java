package io.webproxy.acme;

/**
 * Puts TXT records into the DNS and takes them out again, for {@link ChallengeKind#DNS_01}: by the interface of whoever
 * hosts the zone.
 *
 * <p>Called on a thread of the certificates', never on an IO thread: methods may block for as long as the zone's host
 * takes. Several threads may call at once, for several certificates. One name may need <b>several values at the same
 * time</b>, as {@code example.com} and {@code *.example.com} in one certificate do: {@link #publish} adds to what is
 * there, {@link #remove} takes nothing but its own value away.
 */
public interface DnsRecordPublisher {
    /**
     * Adds a TXT record with this value. It may return before all of the zone's servers answer with it: that is waited
     * for. What is published is {@linkplain #remove removed} later, also when publishing has failed.
     *
     * @param recordName a full name without the dot at its end, such as {@code _acme-challenge.example.com}
     * @param value 43 characters of base64url
     * @throws Exception if it can't; its message becomes part of the sentence that tells why there is no certificate
     */
    void publish(String recordName, String value) throws Exception;

    /**
     * Removes the TXT record with this name and value; no matter if there is none.
     *
     * @throws Exception if it can't: that is logged, and harms nothing
     */
    void remove(String recordName, String value) throws Exception;
}
