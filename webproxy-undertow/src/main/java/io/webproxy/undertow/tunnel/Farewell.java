package io.webproxy.undertow.tunnel;

/** How a control channel has ended. */
enum Farewell {
    /** It was lost: neither side has said goodbye. */
    NONE,
    /** This side has said goodbye. */
    OWN,
    /** The peer has said goodbye. */
    PEER,
    /** The peer has said goodbye, and connects again at once. */
    BACK_SOON
}
