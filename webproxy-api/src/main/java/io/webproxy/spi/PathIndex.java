package io.webproxy.spi;

import io.webproxy.http.RequestHead;
import io.webproxy.route.Route;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The routes of one host pattern: a tree of path segments. Immutable; a look-up allocates nothing. */
final class PathIndex {
    private final Node root;

    /** An index of these routes; among routes of the same prefix the first one wins. */
    PathIndex(List<Route> routes) {
        Draft draft = new Draft();
        for (Route route : routes) {
            draft.add(route);
        }
        this.root = new Node(null, draft);
    }

    /** The route with the longest prefix of a path that accepts a request, or null. */
    @Nullable Route find(String path, RequestHead request) {
        Node node = root;
        int at = 0;
        while (at < path.length()) {
            int end = path.indexOf('/', at + 1);
            int next = end < 0 ? path.length() : end;
            Node child = node.children.find(path, at + 1, next);
            if (child == null) {
                break;
            }
            node = child;
            at = next;
        }
        Route found = null;
        if (at < path.length()) {
            found = accepting(node.below, request);
        }
        if (found == null) {
            found = accepting(node.here, request);
        }
        if (found == null && at == path.length()) {
            found = accepting(node.withoutSlash, request);
        }
        for (Node up = node.parent; found == null && up != null; up = up.parent) {
            found = accepting(up.below, request);
            if (found == null) {
                found = accepting(up.here, request);
            }
        }
        return found;
    }

    private static @Nullable Route accepting(Route[] routes, RequestHead request) {
        for (Route route : routes) {
            if (route.accepts(request)) {
                return route;
            }
        }
        return null;
    }

    /** A segment in the tree. */
    private static final class Node {
        final @Nullable Node parent;
        final RegionMap<Node> children;
        /** The routes whose prefix ends with this segment. */
        final Route[] here;
        /** The routes whose prefix ends with the slash after this segment. */
        final Route[] below;
        /** The routes of {@code below} that strip their prefix: the path without the slash is redirected. */
        final Route[] withoutSlash;

        Node(@Nullable Node parent, Draft draft) {
            this.parent = parent;
            this.here = draft.here.toArray(new Route[0]);
            this.below = draft.below.toArray(new Route[0]);
            this.withoutSlash = draft.below.stream().filter(Draft::isSlashAdded).toArray(Route[]::new);
            Map<String, Node> nodes = new HashMap<>();
            draft.children.forEach((segment, child) -> nodes.put(segment, new Node(this, child)));
            this.children = new RegionMap<>(nodes);
        }
    }

    /** A mutable node, while the tree is built. */
    private static final class Draft {
        final Map<String, Draft> children = new HashMap<>();
        final List<Route> here = new ArrayList<>();
        final List<Route> below = new ArrayList<>();

        void add(Route route) {
            String prefix = route.path().toString();
            Draft draft = this;
            int at = 0;
            for (int end = prefix.indexOf('/', 1); end >= 0; end = prefix.indexOf('/', at + 1)) {
                draft = draft.child(prefix.substring(at + 1, end));
                at = end;
            }
            if (at == prefix.length() - 1) {
                draft.below.add(route);
            } else {
                draft.child(prefix.substring(at + 1)).here.add(route);
            }
        }

        /**
         * Whether the path without the prefix's final slash is redirected to the one with it, because the prefix is
         * stripped.
         */
        static boolean isSlashAdded(Route route) {
            return route.rewrite().prefix().isPresent()
                    && route.path().length() > 1
                    && route.path().toString().endsWith("/");
        }

        private Draft child(String segment) {
            return children.computeIfAbsent(segment, ignored -> new Draft());
        }
    }
}
