package io.webproxy.undertow.exchange;

/**
 * Why an HTTP/1.1 request is refused before it is looked at.
 *
 * @param status what it is answered
 * @param detail one sentence for the client, which repeats nothing of the request
 */
public record HeadProblem(int status, String detail) {}
