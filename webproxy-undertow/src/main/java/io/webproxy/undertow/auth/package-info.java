/** Checks users and passwords: htpasswd files, bcrypt, the throttle of failures. */
@NullMarked
package io.webproxy.undertow.auth;

import org.jspecify.annotations.NullMarked;
