package io.webproxy.undertow.exchange;

/**
 * Why an HTTP/1.1 request head is refused by the parser.
 *
 * @param status of the answer
 * @param detail one sentence for the client, which repeats nothing of the request
 */
public record HeadProblem(int status, String detail) {}
