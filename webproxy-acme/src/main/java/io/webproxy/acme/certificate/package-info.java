/** What a certificate is made of: names, keys, chains. */
@NullMarked
package io.webproxy.acme.certificate;

import org.jspecify.annotations.NullMarked;
