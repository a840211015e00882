/** Who may pass: authenticators in front of the routes. */
@NullMarked
package io.webproxy.auth;

import org.jspecify.annotations.NullMarked;
