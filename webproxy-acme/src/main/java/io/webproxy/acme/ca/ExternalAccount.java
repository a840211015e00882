package io.webproxy.acme.ca;

/**
 * An operator's account at a CA outside of ACME (RFC 8555 section 7.3.4).
 *
 * @param keyId its id at the CA
 * @param macKey its key, as issued by the CA, in base64url
 */
public record ExternalAccount(String keyId, String macKey) {
    /** Doesn't show the key. */
    @Override
    public String toString() {
        return "ExternalAccount[keyId=" + keyId + "]";
    }
}
