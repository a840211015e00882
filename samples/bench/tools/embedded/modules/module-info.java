/** A program on the module path. */
module embedded {
    requires io.webproxy.api;
    requires jdk.httpserver;
}
