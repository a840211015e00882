/** Which request goes to which upstream. */
@NullMarked
package io.webproxy.route;

import org.jspecify.annotations.NullMarked;
