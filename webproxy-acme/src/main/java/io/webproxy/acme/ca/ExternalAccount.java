package io.webproxy.acme.ca;

/**
 * The account that an operator has at a CA outside of ACME (RFC 8555 section 7.3.4).
 *
 * @param keyId what the CA calls it
 * @param macKey the key that the CA has given for it, in base64url
 */
public record ExternalAccount(String keyId, String macKey) {
    /** Shows no key. */
    @Override
    public String toString() {
        return "ExternalAccount[keyId=" + keyId + "]";
    }
}
