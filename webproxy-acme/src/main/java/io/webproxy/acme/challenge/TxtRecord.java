package io.webproxy.acme.challenge;

/** A TXT record: a full name without the final dot, and its text. */
public record TxtRecord(String name, String value) {}
