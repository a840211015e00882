/** The directory in which account, keys and certificates are kept, and which processes may share. */
@NullMarked
package io.webproxy.acme.store;

import org.jspecify.annotations.NullMarked;
