package io.webproxy.acme;

/** A TXT record: a full name without the dot at its end, and its text. */
record TxtRecord(String name, String value) {}
