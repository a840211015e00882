package io.webproxy.spi;

/** How a line of the access log looks. */
public enum AccessLogFormat {
    /** The combined format that web servers have in common, then {@code name=value} for what a proxy knows besides. */
    COMBINED,
    /** One JSON object per line (RFC 8259): numbers are numbers, times are seconds, what is unknown is null. */
    JSON
}
