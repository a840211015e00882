/** The directory with account, keys and certificates, which processes may share. */
@NullMarked
package io.webproxy.acme.store;

import org.jspecify.annotations.NullMarked;
