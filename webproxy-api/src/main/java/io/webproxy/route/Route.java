package io.webproxy.route;

import io.webproxy.auth.Authenticator;
import io.webproxy.auth.BasicAuth;
import io.webproxy.http.Answer;
import io.webproxy.http.ForwardedHeaders;
import io.webproxy.http.RequestHead;
import io.webproxy.http.StatusPage;
import io.webproxy.spi.Access;
import io.webproxy.spi.AddressRange;
import io.webproxy.spi.Conditions;
import io.webproxy.spi.HeaderEdit;
import io.webproxy.spi.HeaderMatch;
import io.webproxy.spi.HostHeader;
import io.webproxy.spi.HostPattern;
import io.webproxy.spi.IdentityField;
import io.webproxy.spi.PathPrefix;
import io.webproxy.spi.RateLimit;
import io.webproxy.spi.RetryOn;
import io.webproxy.spi.Rewrite;
import io.webproxy.timeout.TimeoutPolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/**
 * Matches requests, and forwards them to upstreams, redirects them or answers them. Immutable; made by a
 * {@link Builder}.
 *
 * <p>A request takes the route with the most specific host (a name before {@code *.} before any), then the longest path
 * prefix, then the one that was given first; a route whose methods or fields don't match is skipped.
 *
 * <p>A route forwards to an {@link UpstreamGroup}: one of its own with default settings, or one that other routes
 * share.
 */
@SuppressWarnings("exports") // what only the engine reads has types of io.webproxy.spi
public final class Route {
    private static final Duration LEAST_PERIOD = Duration.ofMillis(100);
    private static final Duration MOST_PERIOD = Duration.ofDays(1);
    private static final Pattern METHOD = Pattern.compile("[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}");
    private static final Pattern UPGRADE =
            Pattern.compile("[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}(/[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64})?");
    private static final Set<String> NO_UPGRADES = Set.of("h2", "h2c", "http", "tls", "websocket");
    private static final Pattern BASE =
            Pattern.compile("https?://[A-Za-z0-9.\\-_~\\[\\]:]+(/[A-Za-z0-9\\-._~!$&'()*+,;=:@/%]*)?");

    private final String name;
    private final boolean named;
    private final HostPattern host;
    private final PathPrefix path;
    private final Set<String> methods;
    private final List<HeaderMatch> headers;
    private final Rewrite rewrite;
    private final Access access;
    private final @Nullable UpstreamGroup upstreamGroup;
    private final boolean ownGroup;
    private final @Nullable String userField;
    private final @Nullable RequestFilter filter;
    private final @Nullable ResponseFilter responseFilter;
    private final @Nullable Function<RequestHead, Answer> answer;
    private final @Nullable StatusPage statusPage;
    private final @Nullable String redirect;
    private final @Nullable TimeoutPolicy timeouts;
    private final Duration sseHeartbeat;
    private final Duration webSocketPings;
    private final Set<String> upgrades;
    private final boolean halfClose;
    private final boolean underscores;
    private final boolean altSvc;
    private final @Nullable ForwardedHeaders forwardedHeaders;
    private final RetryOn retryOn;

    private Route(Builder builder) {
        this.host = builder.host;
        this.path = builder.path;
        this.methods = Set.copyOf(builder.methods);
        this.headers = List.copyOf(builder.headers);
        this.rewrite = builder.rewrite();
        this.access = builder.access();
        this.upstreamGroup = builder.upstreamGroup();
        this.ownGroup = builder.group == null;
        this.userField = builder.userField;
        this.filter = builder.filter;
        this.responseFilter = builder.responseFilter;
        this.answer = builder.answer;
        this.statusPage = builder.statusPage;
        this.redirect = builder.redirect;
        this.timeouts = builder.timeouts;
        this.sseHeartbeat = builder.sseHeartbeat;
        this.webSocketPings = builder.webSocketPings;
        this.upgrades = Set.copyOf(builder.upgrades);
        this.halfClose = builder.halfClose;
        this.underscores = builder.underscores;
        this.altSvc = builder.altSvc;
        this.forwardedHeaders = builder.forwardedHeaders;
        this.retryOn = builder.retryOn;
        this.named = builder.name != null;
        this.name =
                builder.name == null ? host + path.toString() + new Conditions(methods, headers).text() : builder.name;
    }

    /** A route for any host and any path, without upstreams yet. */
    public static Builder builder() {
        return new Builder();
    }

    /** A builder that holds this route; a default name follows the changes. */
    public Builder toBuilder() {
        return new Builder(this);
    }

    /**
     * What identifies the route in records and across updates: the given name, else its host and path pattern with
     * methods and names of fields.
     */
    public String name() {
        return name;
    }

    /** The hosts. */
    public HostPattern host() {
        return host;
    }

    /** The paths. */
    public PathPrefix path() {
        return path;
    }

    /** The methods, upper case; empty for all. */
    public Set<String> methods() {
        return methods;
    }

    /** The conditions on a request's header fields; all must hold. */
    public List<HeaderMatch> headers() {
        return headers;
    }

    /** The changes of requests and responses. */
    public Rewrite rewrite() {
        return rewrite;
    }

    /** Who may use the route. */
    public Access access() {
        return access;
    }

    /** The group of upstreams; empty if the server answers itself. */
    public Optional<UpstreamGroup> upstreamGroup() {
        return Optional.ofNullable(upstreamGroup);
    }

    /** The upstreams of the group; empty if the server answers itself. */
    public List<Upstream> upstreams() {
        return upstreamGroup == null ? List.of() : upstreamGroup.upstreams();
    }

    /** The field in which upstreams get the authenticated user; empty for none. */
    public Optional<String> userField() {
        return Optional.ofNullable(userField);
    }

    /** The request filter; empty for none. */
    public Optional<RequestFilter> filter() {
        return Optional.ofNullable(filter);
    }

    /** The response filter; empty for none. */
    public Optional<ResponseFilter> responseFilter() {
        return Optional.ofNullable(responseFilter);
    }

    /** The server's own answer; empty if the route forwards or redirects. */
    public Optional<Function<RequestHead, Answer>> answer() {
        return Optional.ofNullable(answer);
    }

    /** The status page that it answers with; empty if it does something else. */
    public Optional<StatusPage> statusPage() {
        return Optional.ofNullable(statusPage);
    }

    /** The base of redirects; empty if the route forwards or answers. */
    public Optional<String> redirect() {
        return Optional.ofNullable(redirect);
    }

    /** Whether a request's method and fields match; ignores host and path. */
    public boolean accepts(RequestHead request) {
        if (!methods.isEmpty() && !methods.contains(request.method())) {
            return false;
        }
        for (int i = 0; i < headers.size(); i++) {
            if (!headers.get(i).matches(request)) {
                return false;
            }
        }
        return true;
    }

    /** The route's own timeouts; empty for the server's. */
    public Optional<TimeoutPolicy> timeouts() {
        return Optional.ofNullable(timeouts);
    }

    /** After how long an idle event stream gets a comment line; zero for never. */
    public Duration sseHeartbeat() {
        return sseHeartbeat;
    }

    /** After how long an idle WebSocket client gets a ping; zero for never. */
    public Duration webSocketPings() {
        return webSocketPings;
    }

    /** The protocols other than WebSocket that a request may switch its connection to, lower case; empty for none. */
    public Set<String> upgrades() {
        return upgrades;
    }

    /** Whether a client that has closed its sending side still gets its response. */
    public boolean halfClose() {
        return halfClose;
    }

    /** Whether field names with underscores pass although a filter or an authenticator decides about requests. */
    public boolean allowsUnderscores() {
        return underscores;
    }

    /** Whether clients see {@code Alt-Svc} of upstreams. */
    public boolean keepsAltSvc() {
        return altSvc;
    }

    /** Which fields tell the upstream about the client; empty for the server's setting. */
    public Optional<ForwardedHeaders> forwardedHeaders() {
        return Optional.ofNullable(forwardedHeaders);
    }

    /** When a request that an upstream was sent goes to another one. */
    public RetryOn retryOn() {
        return retryOn;
    }

    @Override
    public String toString() {
        return "Route[" + name + " -> "
                + (statusPage != null
                        ? "status page"
                        : answer != null ? "answer" : redirect != null ? redirect : String.valueOf(upstreamGroup))
                + "]";
    }

    /** Collects the settings of a {@link Route}; an invalid value throws in its method. Not thread-safe. */
    public static final class Builder {
        private @Nullable String name;
        private HostPattern host = HostPattern.any();
        private PathPrefix path = PathPrefix.root();
        private final Set<String> methods = new LinkedHashSet<>();
        private final List<HeaderMatch> headers = new ArrayList<>();
        private @Nullable String replacedPrefix;
        private @Nullable Pattern rewritten;
        private String replacement = "";
        private boolean locations;
        private final List<HeaderEdit> requestHeaders = new ArrayList<>();
        private final List<HeaderEdit> responseHeaders = new ArrayList<>();
        private HostHeader hostHeader = HostHeader.ofClient();
        private final List<AddressRange> allow = new ArrayList<>();
        private final List<AddressRange> deny = new ArrayList<>();
        private boolean ownAuthenticator;
        private @Nullable Authenticator authenticator;
        private boolean preflight;
        private @Nullable Long requestBodyBytes;
        private final List<Upstream> upstreams = new ArrayList<>();
        private @Nullable UpstreamGroup group;
        private @Nullable UpstreamGroup own;
        private @Nullable String userField;
        private @Nullable RequestFilter filter;
        private @Nullable ResponseFilter responseFilter;
        private @Nullable Function<RequestHead, Answer> answer;
        private @Nullable StatusPage statusPage;
        private @Nullable String redirect;
        private @Nullable TimeoutPolicy timeouts;
        private Duration sseHeartbeat = Duration.ZERO;
        private Duration webSocketPings = Duration.ZERO;
        private final Set<String> upgrades = new LinkedHashSet<>();
        private boolean halfClose;
        private boolean underscores;
        private boolean altSvc;
        private @Nullable ForwardedHeaders forwardedHeaders;
        private @Nullable RateLimit rateLimit;
        private RetryOn retryOn = RetryOn.none();

        private Builder() {}

        private Builder(Route route) {
            name = route.named ? route.name : null;
            host = route.host;
            path = route.path;
            methods.addAll(route.methods);
            headers.addAll(route.headers);
            replacedPrefix = route.rewrite.prefix().orElse(null);
            rewritten = route.rewrite.pattern().orElse(null);
            replacement = route.rewrite.replacement();
            locations = route.rewrite.locations();
            requestHeaders.addAll(route.rewrite.requestHeaders());
            responseHeaders.addAll(route.rewrite.responseHeaders());
            hostHeader = route.rewrite.hostHeader();
            allow.addAll(route.access.allow());
            deny.addAll(route.access.deny());
            ownAuthenticator = route.access.ownAuthenticator();
            authenticator = route.access.authenticator().orElse(null);
            preflight = route.access.preflight();
            requestBodyBytes = route.access.requestBodyBytes().orElse(null);
            rateLimit = route.access.rateLimit().orElse(null);
            if (route.ownGroup) {
                own = route.upstreamGroup;
                upstreams.addAll(route.upstreams());
            } else {
                group = route.upstreamGroup;
            }
            userField = route.userField;
            filter = route.filter;
            responseFilter = route.responseFilter;
            answer = route.answer;
            statusPage = route.statusPage;
            redirect = route.redirect;
            timeouts = route.timeouts;
            sseHeartbeat = route.sseHeartbeat;
            webSocketPings = route.webSocketPings;
            upgrades.addAll(route.upgrades);
            halfClose = route.halfClose;
            underscores = route.underscores;
            altSvc = route.altSvc;
            forwardedHeaders = route.forwardedHeaders;
            retryOn = route.retryOn;
        }

        /**
         * The name of the route in records, logs and updates; default: its host and path pattern with methods and names
         * of fields. Routes that differ only in the values of fields need names.
         *
         * @throws IllegalArgumentException if it is blank
         */
        public Builder name(String name) {
            if (Objects.requireNonNull(name, "name").isBlank()) {
                throw new IllegalArgumentException("route.name: '' (expected: a name, or none)");
            }
            this.name = name;
            return this;
        }

        /** The hosts, see {@link HostPattern#of}; default: any. */
        public Builder host(String pattern) {
            this.host = HostPattern.of(pattern);
            return this;
        }

        /** Matches every host, the default. */
        public Builder anyHost() {
            this.host = HostPattern.any();
            return this;
        }

        /** The paths, see {@link PathPrefix#of}; default: all, which is {@code /}. */
        public Builder path(String prefix) {
            this.path = PathPrefix.of(prefix);
            return this;
        }

        /**
         * Matches only requests with one of these methods, in addition to earlier ones; default: all. Methods are
         * case-sensitive (RFC 9110 section 9.1).
         *
         * @throws IllegalArgumentException if one isn't a token
         */
        public Builder matchMethod(String... names) {
            for (String method : Objects.requireNonNull(names, "methods")) {
                if (!METHOD.matcher(Objects.requireNonNull(method, "method")).matches()) {
                    throw new IllegalArgumentException(
                            "route.matchMethod: " + method + " (expected: a method, such as GET)");
                }
                methods.add(method);
            }
            return this;
        }

        /** Adds a condition: only requests with this field, whatever its value. */
        public Builder matchHeader(String name) {
            headers.add(new HeaderMatch(name, Optional.empty()));
            return this;
        }

        /** Adds a condition: only requests with this field and this value, byte for byte. */
        public Builder matchHeader(String name, String value) {
            headers.add(new HeaderMatch(name, Optional.of(Objects.requireNonNull(value, "value"))));
            return this;
        }

        /** Removes all conditions added by {@code match…}. Host and path stay. */
        public Builder clearMatches() {
            methods.clear();
            headers.clear();
            return this;
        }

        /**
         * The upstream sees the path without the prefix, and the prefix in {@code X-Forwarded-Prefix}; the rest of the
         * path passes byte for byte. With a prefix that ends in a slash, such as {@code /api/}, the path without it
         * ({@code /api}) is redirected to the one with it (308), unless another route takes it.
         */
        public Builder stripPrefix() {
            return replacePrefix("/");
        }

        /**
         * Replaces the route's prefix in the upstream's path; the upstream gets the route's prefix in
         * {@code X-Forwarded-Prefix}, as with {@link #stripPrefix()}.
         *
         * @param prefix see {@link PathPrefix#of}; {@code /} strips the route's
         */
        public Builder replacePrefix(String prefix) {
            String checked = PathPrefix.of(prefix).toString();
            this.replacedPrefix = checked.endsWith("/") ? checked.substring(0, checked.length() - 1) : checked;
            return this;
        }

        /**
         * Rewrites the path that the upstream sees: every match of the expression, after the prefix was stripped or
         * replaced. The query stays. It runs on an IO thread on clients' input, so avoid expressions that may backtrack
         * for long.
         *
         * @param regex see {@link Pattern}
         * @param replaced see {@link java.util.regex.Matcher#replaceAll(String)}; the result must be a path, else the
         *     request is answered with 400
         * @throws IllegalArgumentException if the expression or the replacement can't be read
         */
        public Builder rewritePath(String regex, String replaced) {
            try {
                this.rewritten = Pattern.compile(Objects.requireNonNull(regex, "regex"));
            } catch (PatternSyntaxException e) {
                throw new IllegalArgumentException("route.rewritePath: " + regex + " (expected: a regular expression; "
                        + e.getDescription() + " at " + e.getIndex() + ")");
            }
            try {
                // finds the empty text, with all the groups of the expression
                Pattern.compile("|" + regex).matcher("").replaceAll(Objects.requireNonNull(replaced, "replacement"));
            } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
                throw new IllegalArgumentException("route.rewritePath: " + replaced
                        + " (expected: a replacement whose $ and \\ name groups of " + regex + ")");
            }
            this.replacement = replaced;
            return this;
        }

        /**
         * With {@link #stripPrefix()} or {@link #replacePrefix}: the upstream's own paths get the route's prefix back,
         * in {@code Location}, {@code Content-Location} and the paths of cookies; {@code Destination} (RFC 4918 section
         * 10.3) has it stripped for the upstream, and names the same host as {@code Host}. Absolute URIs of the
         * upstream's own origin become paths. Other origins, relative paths, cookies named {@code __Host-…}, malformed
         * values and bodies stay unchanged. Don't use it with applications that read {@code X-Forwarded-Prefix}: they
         * would apply the prefix twice. {@code Destination} isn't a request of its own: routes, authentication and
         * address lists don't check it, so the upstream must decide where its clients may write.
         */
        public Builder rewriteLocations() {
            this.locations = true;
            return this;
        }

        /**
         * Removes all path rewriting, including {@link #rewriteLocations()}: the upstream sees the path as received.
         */
        public Builder clearRewrite() {
            this.replacedPrefix = null;
            this.rewritten = null;
            this.replacement = "";
            this.locations = false;
            return this;
        }

        /** Sets a field of requests to one value, see {@link HeaderEdit}. */
        public Builder setRequestHeader(String name, String value) {
            requestHeaders.add(new HeaderEdit(HeaderEdit.Kind.SET, name, value));
            return this;
        }

        /** Adds a value to a field of requests. */
        public Builder addRequestHeader(String name, String value) {
            requestHeaders.add(new HeaderEdit(HeaderEdit.Kind.ADD, name, value));
            return this;
        }

        /** Removes a field from requests. */
        public Builder removeRequestHeader(String name) {
            requestHeaders.add(new HeaderEdit(HeaderEdit.Kind.REMOVE, name, ""));
            return this;
        }

        /** Sets a field of upstreams' responses to one value, see {@link HeaderEdit}. */
        public Builder setResponseHeader(String name, String value) {
            responseHeaders.add(new HeaderEdit(HeaderEdit.Kind.SET, name, value));
            return this;
        }

        /** Adds a value to a field of upstreams' responses. */
        public Builder addResponseHeader(String name, String value) {
            responseHeaders.add(new HeaderEdit(HeaderEdit.Kind.ADD, name, value));
            return this;
        }

        /** Removes a field from upstreams' responses. */
        public Builder removeResponseHeader(String name) {
            responseHeaders.add(new HeaderEdit(HeaderEdit.Kind.REMOVE, name, ""));
            return this;
        }

        /** Removes all edits of fields, in both directions. */
        public Builder clearHeaderEdits() {
            requestHeaders.clear();
            responseHeaders.clear();
            return this;
        }

        /**
         * Sends this {@code Host} to the upstream; {@code X-Forwarded-Host} has the client's.
         *
         * @param authority {@code host} or {@code host:port}
         * @throws IllegalArgumentException if it is neither
         */
        public Builder hostHeader(String authority) {
            this.hostHeader = HostHeader.fixed(authority);
            return this;
        }

        /** Sends the client's {@code Host} to the upstream: the default. */
        public Builder hostHeaderOfClient() {
            this.hostHeader = HostHeader.ofClient();
            return this;
        }

        /**
         * Sends the upstream's own host as {@code Host}, with its port unless it is the scheme's default;
         * {@code X-Forwarded-Host} has the client's.
         */
        public Builder hostHeaderOfUpstream() {
            this.hostHeader = HostHeader.ofUpstream();
            return this;
        }

        /**
         * Allows only client addresses in these ranges, in addition to earlier ones; others get 403. Default: all. An
         * IPv4-mapped IPv6 address counts as IPv4; a zone is ignored.
         */
        public Builder allow(String... ranges) {
            for (String range : Objects.requireNonNull(ranges, "allow")) {
                allow.add(AddressRange.of(range));
            }
            return this;
        }

        /**
         * Client addresses in these ranges get 403, even if {@link #allow} permits them; in addition to those given
         * before.
         */
        public Builder deny(String... ranges) {
            for (String range : Objects.requireNonNull(ranges, "deny")) {
                deny.add(AddressRange.of(range));
            }
            return this;
        }

        /** Allows every client address: removes what {@link #allow} and {@link #deny} have added. */
        public Builder clearAddresses() {
            allow.clear();
            deny.clear();
            return this;
        }

        /** One user and one password in place of the server's authentication. */
        public Builder basicAuth(String user, String password) {
            return authenticator(BasicAuth.of(user, password));
        }

        /** The route's authenticator, in place of the server's. */
        public Builder authenticator(Authenticator decides) {
            this.authenticator = Objects.requireNonNull(decides, "authenticator");
            this.ownAuthenticator = true;
            return this;
        }

        /** Disables authentication: the server's authenticator is skipped. */
        public Builder withoutAuthentication() {
            this.authenticator = null;
            this.ownAuthenticator = true;
            return this;
        }

        /** Uses the server's authenticator: the default. */
        public Builder withServerAuthentication() {
            this.authenticator = null;
            this.ownAuthenticator = false;
            return this;
        }

        /**
         * A CORS preflight passes without authentication, by the route's authenticator or the server's: browsers send
         * it without credentials (WHATWG Fetch section 4.8), and then the request itself, which is authenticated. It is
         * an {@code OPTIONS} request without a body that has one {@code Origin} and one
         * {@code Access-Control-Request-Method}, and neither credentials nor a field that names another method; nothing
         * else passes. Anyone can send one: the upstream must do nothing for it but answer. Address lists, rates and
         * the filter hold for it.
         */
        public Builder allowPreflight() {
            this.preflight = true;
            return this;
        }

        /** Preflights are authenticated as all requests are, which is the default. */
        public Builder withoutPreflight() {
            this.preflight = false;
            return this;
        }

        /**
         * Upstreams get the authenticated user in this field, such as {@code X-Forwarded-User} or {@code Remote-User}.
         * No user, no field. From all requests to the server, on every route, whoever sends them, the field and what
         * differs from it in case and punctuation only are removed first, also in trailers: not even conditions,
         * filters and authenticators see them. A filter of this route can't change the field. Upstreams that believe it
         * must be reachable through this server only.
         *
         * <p>A user's name has visible ASCII characters only: another one of {@code BasicAuth} stops the start or the
         * update, or refuses the changed password file as a whole, and one of an authenticator of one's own is answered
         * with 500.
         *
         * @throws IllegalArgumentException if the name has other characters than letters, digits and hyphens, or has a
         *     meaning of its own
         */
        public Builder sendUser(String field) {
            this.userField = IdentityField.checkedForUsers("route.sendUser", field);
            return this;
        }

        /** Upstreams aren't told who the user is, which is the default; takes {@link #sendUser} back. */
        public Builder withoutUser() {
            this.userField = null;
            return this;
        }

        /**
         * The limit of the request body in bytes, instead of the server's; above it: 413.
         *
         * @param most 0 for no limit
         */
        public Builder requestBodyBytes(long most) {
            if (most < 0) {
                throw new IllegalArgumentException("route.requestBodyBytes: " + most + " (expected: 0 or more)");
            }
            this.requestBodyBytes = most;
            return this;
        }

        /** Uses the server's limit of request bodies, the default. */
        public Builder withServerBodyLimit() {
            this.requestBodyBytes = null;
            return this;
        }

        /** A hook that answers, changes or routes each request; default: none. */
        public Builder filter(RequestFilter hook) {
            this.filter = Objects.requireNonNull(hook, "filter");
            return this;
        }

        /** No filter, which is the default. */
        public Builder withoutFilter() {
            this.filter = null;
            return this;
        }

        /** A hook that changes or replaces each response of the route's upstreams; default: none. */
        public Builder responseFilter(ResponseFilter hook) {
            this.responseFilter = Objects.requireNonNull(hook, "responseFilter");
            return this;
        }

        /** No response filter, which is the default. */
        public Builder withoutResponseFilter() {
            this.responseFilter = null;
            return this;
        }

        /** The server answers itself, always with the same response. */
        public Builder answer(Answer same) {
            Objects.requireNonNull(same, "answer");
            return answer(request -> same);
        }

        /**
         * The server answers itself. The function is called on an IO thread and must not block; what it throws is
         * logged and answered with 500.
         */
        public Builder answer(Function<RequestHead, Answer> function) {
            this.answer = Objects.requireNonNull(function, "answer");
            return this;
        }

        /**
         * The server answers itself, with its status: a page, JSON and server-sent events. Give the route a
         * {@link #host} if the page is to be reached by a name.
         */
        public Builder answer(StatusPage page) {
            this.statusPage = Objects.requireNonNull(page, "answer");
            return this;
        }

        /**
         * Redirects clients to the same path and query at another base (308).
         *
         * @param base {@code https://host[:port]}, with a path prefix if wanted
         */
        public Builder redirectTo(String base) {
            if (!BASE.matcher(Objects.requireNonNull(base, "base")).matches()) {
                throw new IllegalArgumentException("route.redirectTo: " + base
                        + " (expected: http://host or https://host, with port and path if wanted)");
            }
            this.redirect = base.endsWith("/") ? base.substring(0, base.length() - 1) : base;
            return this;
        }

        /**
         * Adds upstreams to a group of the route's own, see {@link Upstream#of}; they take turns. In addition to
         * earlier calls: {@link #clearTarget} removes those given before.
         */
        public Builder forward(String... uris) {
            for (String uri : Objects.requireNonNull(uris, "uris")) {
                upstreams.add(Upstream.of(uri));
            }
            return this;
        }

        /** Adds upstreams to a group of the route's own. */
        public Builder forward(Upstream... others) {
            for (Upstream upstream : Objects.requireNonNull(others, "upstreams")) {
                upstreams.add(Objects.requireNonNull(upstream, "upstream"));
            }
            return this;
        }

        /** Forwards to this group, which other routes may share. */
        public Builder forward(UpstreamGroup shared) {
            this.group = Objects.requireNonNull(shared, "upstreamGroup");
            return this;
        }

        /** Removes the route's target: upstreams, upstream group, answer and redirect. Another one must then be set. */
        public Builder clearTarget() {
            upstreams.clear();
            this.group = null;
            this.answer = null;
            this.statusPage = null;
            this.redirect = null;
            return this;
        }

        /** Timeouts instead of the server's. */
        public Builder timeouts(TimeoutPolicy policy) {
            this.timeouts = Objects.requireNonNull(policy, "timeouts");
            return this;
        }

        /** Uses the server's timeouts, the default. */
        public Builder withServerTimeouts() {
            this.timeouts = null;
            return this;
        }

        /**
         * Sends a comment line into each response of type {@code text/event-stream} when the client has received
         * nothing for this long, so that intermediaries keep the connection: only between two events, and never into a
         * response with {@code Content-Length} or a content coding. Readers of event streams ignore comments (WHATWG
         * HTML section 9.2.6). It doesn't restart the idle limit of the timeout class.
         *
         * @param silence 100 ms to 24 h, {@link Duration#ZERO} for never, which is the default
         */
        public Builder sseHeartbeat(Duration silence) {
            this.sseHeartbeat = period("sseHeartbeat", silence);
            return this;
        }

        /**
         * Sends a ping (RFC 6455 section 5.5.2) to a WebSocket's client that sent nothing for this long; if the client
         * then neither sends nor takes a byte for as long again, it counts as gone. The upstream sees neither ping nor
         * pong, and the idle limit of {@code WEBSOCKET}, if there is one, isn't restarted by them.
         *
         * @param silence 100 ms to 24 h, {@link Duration#ZERO} for never, which is the default
         */
        public Builder webSocketPings(Duration silence) {
            this.webSocketPings = period("webSocketPings", silence);
            return this;
        }

        /**
         * Requests of HTTP/1.1 may switch their connection to one of these protocols, which are added to those given
         * before: {@code tcp} for Docker's attach and exec, {@code SPDY/3.1} for Kubernetes. Default: none, so that
         * {@code Upgrade} is dropped; WebSockets need no permission. What is in the tunnel after the 101 is neither
         * looked at nor limited, so name only what the upstream is meant to speak. The switch is asked for only when
         * authentication and filters have let the request pass; its body is sent whole before; bytes after it wait for
         * the 101, which must name exactly the protocol that was asked for, else the client gets 502 and its connection
         * ends. A request that asks for several protocols, or by OPTIONS, is forwarded without {@code Upgrade}. To an
         * upstream of HTTP/2 it goes by HTTP/1.1.
         *
         * @param protocols names as in {@code Upgrade}, with the version if clients send one; case doesn't matter
         * @throws IllegalArgumentException if one is no protocol name, or is h2c, HTTP, TLS or WebSocket
         */
        public Builder allowUpgrade(String... protocols) {
            for (String protocol : Objects.requireNonNull(protocols, "protocols")) {
                String lower = Objects.requireNonNull(protocol, "protocol").toLowerCase(Locale.ROOT);
                int slash = lower.indexOf('/');
                if (!UPGRADE.matcher(protocol).matches()
                        || NO_UPGRADES.contains(slash < 0 ? lower : lower.substring(0, slash))) {
                    throw new IllegalArgumentException("route.allowUpgrade: " + protocol
                            + " (expected: one protocol, such as tcp or SPDY/3.1, but not h2c, HTTP, TLS or"
                            + " websocket)");
                }
                upgrades.add(lower);
            }
            return this;
        }

        /** No upgrades but WebSockets, which is the default; takes {@link #allowUpgrade} back. */
        public Builder withoutUpgrades() {
            upgrades.clear();
            return this;
        }

        /**
         * Lets an HTTP/1.1 client that closes its sending side after its request (a TCP FIN, or close_notify) still get
         * its response. It may seem a right of every client, but a client that closes for good looks the same until
         * something is written; so by default the request is aborted at once. Over TLS it needs {@code jdkTls(true)}:
         * Conscrypt ends both directions, as TLS 1.2 does (RFC 5246 section 7.2.1).
         */
        public Builder allowHalfClose() {
            this.halfClose = true;
            return this;
        }

        /** Treats a client that closes its sending side as gone, the default. */
        public Builder withoutHalfClose() {
            this.halfClose = false;
            return this;
        }

        /**
         * Forwards fields whose names have underscores or other punctuation on this route although it has a filter, or
         * an authenticator that isn't {@code BasicAuth}. By default they are dropped there: the upstream may treat
         * {@code X_User} like the {@code X-User} that such code has checked. On other routes they pass, except for
         * names that could be confused with one that the server itself reads or writes, or with another one of the same
         * request; those are dropped everywhere.
         */
        public Builder allowUnderscores() {
            this.underscores = true;
            return this;
        }

        /** Reverts {@link #allowUnderscores()}. */
        public Builder withoutUnderscores() {
            this.underscores = false;
            return this;
        }

        /**
         * Clients see {@code Alt-Svc} of upstreams (RFC 7838). It sends them past this server, to another port or
         * another host of the upstream's choice, for as long as it says: this is for upstreams that know what clients
         * can reach.
         */
        public Builder keepAltSvc() {
            this.altSvc = true;
            return this;
        }

        /**
         * {@code Alt-Svc} of upstreams is dropped, which is the default. What {@link #setResponseHeader} sets is the
         * route's own.
         */
        public Builder withoutAltSvc() {
            this.altSvc = false;
            return this;
        }

        /**
         * Which fields tell the upstream about the client, in place of the server's setting. A family that isn't
         * written is removed from requests, unless the peer is a trusted proxy.
         */
        public Builder forwardedHeaders(ForwardedHeaders written) {
            this.forwardedHeaders = Objects.requireNonNull(written, "forwardedHeaders");
            return this;
        }

        /** Uses the server's {@link #forwardedHeaders}, the default. */
        public Builder withServerForwardedHeaders() {
            this.forwardedHeaders = null;
            return this;
        }

        /**
         * How many requests one client address may send to this route; default: no limit. A client that sends more gets
         * 429 with {@code Retry-After} (RFC 6585 section 4). An IPv6 network of 64 bits counts as one address.
         *
         * @param requests how many fill up in {@code per}, 1 to 1,000,000; so many may come at once after a pause
         * @param per 1 ms to 24 h
         */
        public Builder rateLimit(int requests, Duration per) {
            return rateLimit(requests, per, requests);
        }

        /**
         * The same with another burst.
         *
         * @param burst how many may come at once after a pause, 1 to 1,000,000
         */
        public Builder rateLimit(int requests, Duration per, int burst) {
            this.rateLimit = RateLimit.of(requests, per).withBurst(burst);
            return this;
        }

        /** Removes the rate limit, the default. */
        public Builder withoutRateLimit() {
            this.rateLimit = null;
            return this;
        }

        /**
         * A request that an upstream answers with one of these statuses goes to another upstream of the group, in
         * addition to earlier ones, and the client sees only the last answer. Default: none; every answer is the
         * client's.
         *
         * <p>Only idempotent requests (RFC 9110 section 9.2.2: GET, HEAD, OPTIONS, PUT, DELETE) are sent again, and
         * only if their body is at most {@link #retryBodyBytes} long; WebSockets, other upgrades and gRPC calls never
         * are. Each attempt after the first spends from the server's budget of retries, and all of them have the time
         * of one: the limits of the timeout class don't start again. An upstream that says {@code Retry-After} gets no
         * requests of this route for as long, 60 s at most, while others may be used. If all answer so, the client gets
         * the answer with the shortest {@code Retry-After} as it came. Responses have the number of the attempt that
         * they answer in {@code X-Webproxy-Attempt}.
         *
         * @param statuses 400 to 599, but not 401 and 407
         * @throws IllegalArgumentException if one is another
         */
        public Builder retryOn(int... statuses) {
            this.retryOn = retryOn.withStatuses(statuses);
            return this;
        }

        /**
         * A request whose response head doesn't come in this time goes to another upstream of the group, and the first
         * one's exchange is aborted; otherwise as {@link #retryOn}. The time starts when the upstream has taken what
         * the client has sent; the last upstream that may be tried has the time of the timeout class. Interim responses
         * don't count.
         *
         * @param limit 100 ms to 24 h; one that isn't less than the limit of the exchange's timeout class has no
         *     effect; {@link Duration#ZERO} for never, which is the default
         * @throws IllegalArgumentException if it is another
         */
        public Builder retryOnFirstByte(Duration limit) {
            this.retryOn = retryOn.withFirstByte(limit);
            return this;
        }

        /**
         * {@link #retryOn} and {@link #retryOnFirstByte} hold for requests that aren't idempotent too, such as POST.
         * <b>What a request does may then be done twice</b>: an upstream that answers late, or fails, may have done it
         * before the other one does it again. It is for requests that only compute, such as those to language models.
         */
        public Builder retryNonIdempotent() {
            this.retryOn = retryOn.withNonIdempotent();
            return this;
        }

        /**
         * How long a request body may be that is kept in memory until an upstream has answered, so that it can be sent
         * again; default: 1 MiB. A longer one passes as any body does, and is sent once. All bodies together may take
         * an eighth of the memory for requests; what comes beyond that is sent once too.
         *
         * @param most 0 for requests without a body only, up to 64 MiB
         * @throws IllegalArgumentException if it is another
         */
        public Builder retryBodyBytes(int most) {
            this.retryOn = retryOn.withBodyBytes(most);
            return this;
        }

        /**
         * Every answer is the client's, which is the default; takes {@link #retryOn}, {@link #retryOnFirstByte},
         * {@link #retryNonIdempotent} and {@link #retryBodyBytes} back.
         */
        public Builder withoutRetryOn() {
            this.retryOn = RetryOn.none();
            return this;
        }

        private static Duration period(String name, Duration silence) {
            Objects.requireNonNull(silence, name);
            if (!silence.isZero() && (silence.compareTo(LEAST_PERIOD) < 0 || silence.compareTo(MOST_PERIOD) > 0)) {
                throw new IllegalArgumentException(
                        "route." + name + ": " + silence + " (expected: 100 ms to 24 h, or 0 for never)");
            }
            return silence;
        }

        private Rewrite rewrite() {
            return new Rewrite(
                    Optional.ofNullable(replacedPrefix),
                    Optional.ofNullable(rewritten),
                    replacement,
                    locations,
                    requestHeaders,
                    responseHeaders,
                    hostHeader);
        }

        private @Nullable UpstreamGroup upstreamGroup() {
            if (group != null || upstreams.isEmpty()) {
                return group;
            }
            // the same object keeps its state
            return own != null && own.upstreams().equals(upstreams) ? own : UpstreamGroup.of(upstreams);
        }

        private Access access() {
            return new Access(
                    allow,
                    deny,
                    ownAuthenticator,
                    Optional.ofNullable(authenticator),
                    preflight,
                    Optional.ofNullable(rateLimit),
                    Optional.ofNullable(requestBodyBytes));
        }

        /**
         * The route.
         *
         * @throws IllegalArgumentException if it has no upstream and no answer, or more than one of upstreams, an
         *     upstream group, answer and redirect, if it rewrites locations and keeps its prefix, or if it edits the
         *     field of {@link #sendUser}
         */
        public Route build() {
            String route = "route " + (name == null ? host + path.toString() : name);
            if (group != null && !upstreams.isEmpty()) {
                throw new IllegalArgumentException(route + ": upstreams of its own and the upstream group " + group
                        + " (expected: one of them; all upstreams of a group stand in UpstreamGroup.of(…))");
            }
            boolean forwards = group != null || !upstreams.isEmpty();
            int ways = (forwards ? 1 : 0)
                    + (answer == null ? 0 : 1)
                    + (statusPage == null ? 0 : 1)
                    + (redirect == null ? 0 : 1);
            if (ways != 1) {
                throw new IllegalArgumentException(route
                        + (ways == 0 ? ": no upstream" : ": upstreams, an answer or a redirect together")
                        + " (expected: forward(\"http://host:port\") on the route, or answer(…), or redirectTo(…))");
            }
            if (locations && replacedPrefix == null) {
                throw new IllegalArgumentException(route + ": rewriteLocations without stripPrefix() or"
                        + " replacePrefix(…) (expected: one of them, for else there is no prefix to put back)");
            }
            String field = userField;
            if (field != null && requestHeaders.stream().anyMatch(edit -> IdentityField.isAlike(edit.name(), field))) {
                throw new IllegalArgumentException(
                        route + ": sendUser(\"" + field + "\") and an edit of that field" + " (expected: one of them)");
            }
            return new Route(this);
        }
    }
}
