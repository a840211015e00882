/** Which upstream gets a request, and what becomes of its head and of the response's. */
package io.webproxy.blackbox.routing;
