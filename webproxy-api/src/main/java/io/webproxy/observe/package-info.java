/** What happened: records of ended exchanges. */
@NullMarked
package io.webproxy.observe;

import org.jspecify.annotations.NullMarked;
