/** Answers the challenges of a certificate authority. */
@NullMarked
package io.webproxy.acme.challenge;

import org.jspecify.annotations.NullMarked;
