/** Certificates that a certificate authority issues and renews. */
module io.webproxy.acme {
    requires static transitive org.jspecify;
    requires transitive io.webproxy.api;
    requires java.naming;
    requires java.net.http;
    requires org.bouncycastle.pkix;
    requires org.bouncycastle.provider;
    requires org.bouncycastle.util;
    requires org.jose4j;
    requires org.shredzone.acme4j;
    requires org.slf4j;

    exports io.webproxy.acme;
}
