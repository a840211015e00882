package io.webproxy.acme;

/**
 * Publishes TXT records in the DNS and removes them again, for {@link ChallengeKind#DNS_01}, through the API of the
 * zone's DNS provider.
 *
 * <p>It is called on threads of the certificate provider, never on an IO thread: methods may block for as long as the
 * DNS provider takes. Several threads may call at once, for several certificates. One name may need <b>several values
 * at the same time</b>, as {@code example.com} and {@code *.example.com} in one certificate do: {@link #publish} adds
 * to existing values, {@link #remove} removes only its own.
 */
public interface DnsRecordPublisher {
    /**
     * Adds a TXT record with this value. It may return before all of the zone's servers answer with it: the caller
     * waits for that. The record is {@linkplain #remove removed} later, even if publishing has failed.
     *
     * @param recordName a full name without the final dot, such as {@code _acme-challenge.example.com}
     * @param value 43 characters of base64url
     * @throws Exception if that fails; the message becomes part of the error of the certificate
     */
    void publish(String recordName, String value) throws Exception;

    /**
     * Removes the TXT record with this name and value; no effect if there is none.
     *
     * @throws Exception if that fails: it is logged, and has no other effect
     */
    void remove(String recordName, String value) throws Exception;
}
