package io.webproxy.spi;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;

/** The users and passwords that are accepted; the engine checks them. Immutable; shows no user and no password. */
public sealed interface AcceptedPasswords {
    /**
     * One user with one password, of which neither is kept.
     *
     * @param hash for comparing credentials
     * @param expected the hash of the user, a colon and the password
     * @param sendable whether the user can be sent to an upstream, see {@link IdentityField#isSendable}
     */
    record Pair(CredentialHash hash, ByteBuffer expected, boolean sendable) implements AcceptedPasswords {
        /** Keeps only the hash. */
        public static Pair of(String user, String password) {
            CredentialHash hash = new CredentialHash();
            byte[] pair = (user + ":" + password).getBytes(StandardCharsets.UTF_8);
            try {
                return new Pair(hash, hash.of(pair), IdentityField.isSendable(user));
            } finally {
                Arrays.fill(pair, (byte) 0);
            }
        }

        @Override
        public String toString() {
            return "user=***, password=***";
        }
    }

    /**
     * The users of a file.
     *
     * @param file made by {@code htpasswd -B}
     */
    record Htpasswd(Path file) implements AcceptedPasswords {
        /** Nothing is null. */
        public Htpasswd {
            Objects.requireNonNull(file, "file");
        }

        @Override
        public String toString() {
            return "htpasswd=" + file;
        }
    }
}
