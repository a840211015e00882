package io.webproxy.acme.testing;

import io.webproxy.acme.DnsRecordPublisher;
import java.io.IOException;

/** A zone that nobody may write to. */
public final class NoDns implements DnsRecordPublisher {
    @Override
    public void publish(String recordName, String value) throws IOException {
        throw new IOException("the zone is read-only");
    }

    @Override
    public void remove(String recordName, String value) {}
}
