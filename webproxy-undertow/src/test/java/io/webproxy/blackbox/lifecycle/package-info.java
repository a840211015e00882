/** Start, update, drain and close, and what outlives a defect. */
package io.webproxy.blackbox.lifecycle;
