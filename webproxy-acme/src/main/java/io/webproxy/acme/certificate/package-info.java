/** Names, keys and chains of certificates. */
@NullMarked
package io.webproxy.acme.certificate;

import org.jspecify.annotations.NullMarked;
