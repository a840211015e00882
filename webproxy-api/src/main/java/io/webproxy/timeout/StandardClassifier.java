package io.webproxy.timeout;

import io.webproxy.http.RequestHead;
import io.webproxy.http.ResponseHead;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** The rules of {@link TimeoutClassifier#standard}, with lists that can be replaced. Immutable. */
final class StandardClassifier implements TimeoutClassifier {
    private static final String GRPC = "application/grpc";
    private static final Set<String> OCTETS = Set.of("application/octet-stream");

    static final StandardClassifier DEFAULTS = new StandardClassifier(
            List.of("/api/chat", "/chat/completions", "/api/generate", "/generate", "/stream", "/events"),
            true,
            Set.of(
                    "text/event-stream",
                    "application/x-ndjson",
                    GRPC,
                    "application/grpc-web",
                    "application/grpc-web-text"),
            Set.of("download", "downloads", "files"),
            Set.of(
                    "7z",
                    "apk",
                    "avi",
                    "bin",
                    "bz2",
                    "deb",
                    "dmg",
                    "exe",
                    "flac",
                    "gguf",
                    "gz",
                    "img",
                    "iso",
                    "jar",
                    "m4a",
                    "m4v",
                    "mkv",
                    "mov",
                    "mp3",
                    "mp4",
                    "msi",
                    "ogg",
                    "onnx",
                    "parquet",
                    "pdf",
                    "pkg",
                    "pt",
                    "pth",
                    "rar",
                    "rpm",
                    "safetensors",
                    "tar",
                    "tgz",
                    "war",
                    "wav",
                    "webm",
                    "whl",
                    "xz",
                    "zip",
                    "zst"));

    private final List<String> longPaths;
    private final boolean modelPaths;
    private final Set<String> longTypes;
    private final Set<String> downloadSegments;
    private final Set<String> downloadExtensions;

    private StandardClassifier(
            List<String> longPaths,
            boolean modelPaths,
            Set<String> longTypes,
            Set<String> downloadSegments,
            Set<String> downloadExtensions) {
        this.longPaths = longPaths;
        this.modelPaths = modelPaths;
        this.longTypes = longTypes;
        this.downloadSegments = downloadSegments;
        this.downloadExtensions = downloadExtensions;
    }

    /** The default lists. */
    static StandardClassifier defaults() {
        return DEFAULTS;
    }

    /**
     * The same rules with other path fragments that mean {@code LONG}, found anywhere in the path; the model servers'
     * paths no longer count.
     */
    StandardClassifier withLongPaths(List<String> fragments) {
        return withLongPaths(fragments, false);
    }

    private StandardClassifier withLongPaths(List<String> fragments, boolean alsoModelPaths) {
        return new StandardClassifier(
                fragments.stream().map(StandardClassifier::lower).toList(),
                alsoModelPaths,
                longTypes,
                downloadSegments,
                downloadExtensions);
    }

    /** The same rules with more path fragments that mean {@code LONG}. */
    StandardClassifier plusLongPaths(String... fragments) {
        List<String> all = new ArrayList<>(longPaths);
        all.addAll(List.of(fragments));
        return withLongPaths(all, modelPaths);
    }

    /**
     * The same rules with other media types, without parameters, that mean {@code LONG} in {@code Accept} and
     * {@code Content-Type}.
     */
    StandardClassifier withLongTypes(Set<String> types) {
        return new StandardClassifier(longPaths, modelPaths, lower(types), downloadSegments, downloadExtensions);
    }

    /** The same rules with more media types that mean {@code LONG}. */
    StandardClassifier plusLongTypes(String... types) {
        return withLongTypes(joined(longTypes, types));
    }

    /** The same rules with other whole path segments that mean {@code DOWNLOAD}, given without slashes. */
    StandardClassifier withDownloadSegments(Set<String> segments) {
        return new StandardClassifier(longPaths, modelPaths, longTypes, lower(segments), downloadExtensions);
    }

    /** The same rules with more path segments that mean {@code DOWNLOAD}. */
    StandardClassifier plusDownloadSegments(String... segments) {
        return withDownloadSegments(joined(downloadSegments, segments));
    }

    /** The same rules with other file extensions that mean {@code DOWNLOAD}, given without the dot. */
    StandardClassifier withDownloadExtensions(Set<String> extensions) {
        return new StandardClassifier(longPaths, modelPaths, longTypes, downloadSegments, lower(extensions));
    }

    /** The same rules with more file extensions that mean {@code DOWNLOAD}. */
    StandardClassifier plusDownloadExtensions(String... extensions) {
        return withDownloadExtensions(joined(downloadExtensions, extensions));
    }

    @Override
    public TimeoutClass classify(RequestHead request) {
        if (isWebSocketHandshake(request)) {
            return TimeoutClass.DEFAULT;
        }
        String path = lower(request.path());
        if (request.header("range").isPresent() || isFile(path) || accepts(request, OCTETS)) {
            return TimeoutClass.DOWNLOAD;
        }
        return isLong(path) || accepts(request, longTypes) || isGrpc(request)
                ? TimeoutClass.LONG
                : TimeoutClass.DEFAULT;
    }

    @Override
    public TimeoutClass upgrade(TimeoutClass current, ResponseHead response) {
        if (response.status() == 101) {
            return TimeoutClass.WEBSOCKET;
        }
        Optional<String> disposition = response.header("content-disposition");
        if (response.status() == 206
                || (disposition.isPresent()
                        && beforeParameters(disposition.get()).equals("attachment"))) {
            return TimeoutClass.DOWNLOAD;
        }
        Optional<String> type = response.header("content-type");
        return type.isPresent() && isLongType(type.get()) ? TimeoutClass.LONG : current;
    }

    /** Both directions of gRPC are streams; the content type of other requests says nothing about the response. */
    private boolean isGrpc(RequestHead request) {
        String type = request.header("content-type").orElse("");
        return type.regionMatches(true, 0, GRPC, 0, GRPC.length()) && isLongType(type);
    }

    private boolean isLongType(String value) {
        String type = beforeParameters(value);
        int suffix = type.startsWith(GRPC) ? type.indexOf('+') : -1;
        return longTypes.contains(suffix < 0 ? type : type.substring(0, suffix));
    }

    /** RFC 6455 section 4.2.1. */
    private static boolean isWebSocketHandshake(RequestHead request) {
        return request.header("upgrade").isPresent()
                && request.method().equals("GET")
                && lists(request, "upgrade", Set.of("websocket"))
                && lists(request, "connection", Set.of("upgrade"));
    }

    private boolean isLong(String path) {
        for (String fragment : longPaths) {
            if (path.contains(fragment)) {
                return true;
            }
        }
        return modelPaths && ModelPaths.contains(path);
    }

    private boolean isFile(String path) {
        int last = path.lastIndexOf('/');
        int dot = path.lastIndexOf('.');
        if (dot > last && downloadExtensions.contains(path.substring(dot + 1))) {
            return true;
        }
        int start = 1;
        for (int end = path.indexOf('/', start); end >= 0; end = path.indexOf('/', start)) {
            if (downloadSegments.contains(path.substring(start, end))) {
                return true;
            }
            start = end + 1;
        }
        return start <= path.length() && downloadSegments.contains(path.substring(start));
    }

    private static boolean accepts(RequestHead request, Set<String> types) {
        return lists(request, "accept", types);
    }

    /** Whether a list field contains one of these, with any parameters. */
    private static boolean lists(RequestHead request, String field, Set<String> wanted) {
        for (String value : request.headers(field)) {
            int start = 0;
            for (int end = 0; end >= 0; start = end + 1) {
                end = value.indexOf(',', start);
                if (wanted.contains(beforeParameters(end < 0 ? value.substring(start) : value.substring(start, end)))) {
                    return true;
                }
            }
        }
        return false;
    }

    private static String beforeParameters(String value) {
        int end = value.indexOf(';');
        return lower((end < 0 ? value : value.substring(0, end)).strip());
    }

    private static Set<String> joined(Set<String> some, String... more) {
        Set<String> all = new HashSet<>(some);
        all.addAll(List.of(more));
        return all;
    }

    private static Set<String> lower(Collection<String> values) {
        return values.stream().map(StandardClassifier::lower).collect(Collectors.toUnmodifiableSet());
    }

    private static String lower(String value) {
        return Objects.requireNonNull(value, "value").toLowerCase(Locale.ROOT);
    }
}
