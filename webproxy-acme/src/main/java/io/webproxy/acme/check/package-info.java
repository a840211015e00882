/** What would make an order fail, looked for without one. */
@NullMarked
package io.webproxy.acme.check;

import org.jspecify.annotations.NullMarked;
