package io.webproxy.timeout;

import io.webproxy.http.RequestHead;
import io.webproxy.http.ResponseHead;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;

/**
 * The default rules, over lists that can be replaced.
 *
 * <p>A request is {@code DOWNLOAD} when it has a {@code Range} field, when its last segment has a known file extension,
 * when its path has a segment such as {@code download}, or when it accepts {@code application/octet-stream}; it is
 * {@code LONG} when its path contains one of the long fragments, or when it accepts an event stream or NDJSON. A response
 * is {@code DOWNLOAD} with status 206 or {@code Content-Disposition: attachment}, {@code LONG} with a streaming type. Where
 * two rules match, {@code DOWNLOAD} wins. Everything is compared without regard to case. Immutable.
 */
public final class StandardClassifier implements TimeoutClassifier {
    static final StandardClassifier DEFAULTS = new StandardClassifier(
            List.of("/api/chat", "/chat/completions", "/api/generate", "/generate", "/stream", "/events"),
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
    private final Set<String> downloadSegments;
    private final Set<String> downloadExtensions;

    private StandardClassifier(List<String> longPaths, Set<String> downloadSegments, Set<String> downloadExtensions) {
        this.longPaths = longPaths;
        this.downloadSegments = downloadSegments;
        this.downloadExtensions = downloadExtensions;
    }

    /** The default lists. */
    public static StandardClassifier defaults() {
        return DEFAULTS;
    }

    /** The same rules with other path fragments that mean {@code LONG}, found anywhere in the path. */
    public StandardClassifier withLongPaths(List<String> fragments) {
        return new StandardClassifier(
                fragments.stream().map(StandardClassifier::lower).toList(), downloadSegments, downloadExtensions);
    }

    /** The same rules with other whole path segments that mean {@code DOWNLOAD}, given without slashes. */
    public StandardClassifier withDownloadSegments(Set<String> segments) {
        return new StandardClassifier(longPaths, lower(segments), downloadExtensions);
    }

    /** The same rules with other file extensions that mean {@code DOWNLOAD}, given without the dot. */
    public StandardClassifier withDownloadExtensions(Set<String> extensions) {
        return new StandardClassifier(longPaths, downloadSegments, lower(extensions));
    }

    @Override
    public TimeoutClass classify(RequestHead request) {
        String path = lower(request.path());
        if (request.header("range") != null || isFile(path) || accepts(request, "application/octet-stream")) {
            return TimeoutClass.DOWNLOAD;
        }
        if (isLong(path) || accepts(request, "text/event-stream") || accepts(request, "application/x-ndjson")) {
            return TimeoutClass.LONG;
        }
        return TimeoutClass.DEFAULT;
    }

    @Override
    public TimeoutClass upgrade(TimeoutClass current, ResponseHead response) {
        if (response.status() == 101) {
            return TimeoutClass.WEBSOCKET;
        }
        String disposition = response.header("content-disposition");
        if (response.status() == 206 || (disposition != null && startsWithToken(disposition, "attachment"))) {
            return TimeoutClass.DOWNLOAD;
        }
        String type = response.header("content-type");
        if (type != null
                && (startsWithToken(type, "text/event-stream") || startsWithToken(type, "application/x-ndjson"))) {
            return TimeoutClass.LONG;
        }
        return current;
    }

    private boolean isLong(String path) {
        for (String fragment : longPaths) {
            if (path.contains(fragment)) {
                return true;
            }
        }
        return false;
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
        return false;
    }

    private static boolean accepts(RequestHead request, String type) {
        for (String value : request.headers("accept")) {
            if (lower(value).contains(type)) {
                return true;
            }
        }
        return false;
    }

    private static boolean startsWithToken(String value, String token) {
        String trimmed = value.strip();
        return trimmed.regionMatches(true, 0, token, 0, token.length())
                && (trimmed.length() == token.length() || " \t;".indexOf(trimmed.charAt(token.length())) >= 0);
    }

    private static Set<String> lower(Set<String> values) {
        return values.stream().map(StandardClassifier::lower).collect(java.util.stream.Collectors.toUnmodifiableSet());
    }

    private static String lower(String value) {
        return Objects.requireNonNull(value, "value").toLowerCase(Locale.ROOT);
    }
}
