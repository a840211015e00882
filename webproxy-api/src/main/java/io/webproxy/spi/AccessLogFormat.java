package io.webproxy.spi;

/** The format of the access log. */
public enum AccessLogFormat {
    /** The combined format of web servers, followed by {@code name=value} for fields of the proxy's own. */
    COMBINED,
    /** One JSON object per line (RFC 8259): numbers are numbers, times are seconds, what is unknown is null. */
    JSON
}
