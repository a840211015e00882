package io.webproxy.undertow.tls;

import io.webproxy.spi.ClientHelloData;
import io.webproxy.spi.IpLiteral;
import io.webproxy.tls.ClientHello;
import io.webproxy.tls.KeyMaterial;
import io.webproxy.undertow.tls.engine.HandshakeKeys;
import io.webproxy.undertow.tls.keys.HostNames;
import io.webproxy.undertow.tls.keys.SelfSignedMaker;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A self-signed certificate that isn't stored: it is made when first needed, and logged when first served. So as a
 * fallback of a provider it costs nothing as long as the provider has a certificate for every client. Thread-safe.
 */
final class StandIn implements KeyChooser {
    private static final Logger LOG = LoggerFactory.getLogger("io.webproxy.tls");

    private final List<String> names;
    private final boolean rsa;
    private final Clock clock;
    private final Set<Object> wanted;
    private final Set<String> dnsNames;
    private volatile @Nullable ServedKeys served;
    private @Nullable KeyMaterial made;

    /**
     * For these DNS names and IP addresses.
     *
     * @throws io.webproxy.ProxyStartException if one is neither
     */
    StandIn(List<String> names, boolean rsa, Clock clock) {
        this.names = names;
        this.rsa = rsa;
        this.clock = clock;
        this.wanted = SelfSignedMaker.wanted(names);
        this.dnsNames = wanted.stream()
                .filter(String.class::isInstance)
                .map(String.class::cast)
                .collect(Collectors.toUnmodifiableSet());
    }

    /** The certificate, made now if necessary: that takes a second or so for RSA. */
    synchronized KeyMaterial material() {
        KeyMaterial material = made;
        if (material == null) {
            material = SelfSignedMaker.make(names, rsa, clock.instant());
            made = material;
        }
        return material;
    }

    /** The certificate, if it was made. */
    synchronized Optional<KeyMaterial> made() {
        return Optional.ofNullable(made);
    }

    /** ClientHellos, each for one of its names or addresses. */
    Stream<ClientHello> clients() {
        return wanted.stream()
                .map(name -> name instanceof InetAddress address
                        ? new ClientHelloData(
                                Optional.empty(), List.of(), new InetSocketAddress(address, 0), keyTypes())
                        : new ClientHelloData(
                                Optional.of(name.toString().replace("*", "any")),
                                List.of(),
                                HandshakeKeys.UNKNOWN.localAddress(),
                                keyTypes()));
    }

    private static Set<String> keyTypes() {
        return HandshakeKeys.UNKNOWN.keyTypes();
    }

    @Override
    public List<KeyMaterial> choose(ClientHello hello) {
        ServedKeys keys = served;
        if (keys == null) {
            if (hello.serverName().isPresent() && !isFor(hello.serverName().get())) {
                return List.of();
            }
            keys = announced();
        }
        return keys.choose(hello);
    }

    private boolean isFor(String name) {
        return HostNames.cover(dnsNames, name) || wanted.contains(IpLiteral.parse(name));
    }

    private synchronized ServedKeys announced() {
        ServedKeys keys = served;
        if (keys == null) {
            KeyMaterial material = material();
            LOG.info("Serving the {}, self-signed, for lack of another one", material);
            keys = new ServedKeys(List.of(material), clock.instant());
            served = keys;
        }
        return keys;
    }
}
