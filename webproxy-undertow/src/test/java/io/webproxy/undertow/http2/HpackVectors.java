package io.webproxy.undertow.http2;

import java.util.List;

/** The examples of RFC 7541 appendix C. */
final class HpackVectors {
    /** Blocks of one connection: what comes, and the table when it is through. */
    record Vector(String section, int limit, List<Block> blocks) {
        @Override
        public String toString() {
            return section;
        }
    }

    record Block(String hex, String fields, String table, int bytes) {}

    private static final String REQUEST = ":method: GET|:scheme: http|:path: /|:authority: www.example.com";
    private static final String SECOND = REQUEST + "|cache-control: no-cache";
    private static final String THIRD =
            ":method: GET|:scheme: https|:path: /index.html|:authority: www.example.com|custom-key: custom-value";
    private static final String AUTHORITY = ":authority: www.example.com";

    private static final String FIRST_DATE = "date: Mon, 21 Oct 2013 20:13:21 GMT";
    private static final String LAST_DATE = "date: Mon, 21 Oct 2013 20:13:22 GMT";
    private static final String LOCATION = "location: https://www.example.com";
    private static final String PRIVATE = "cache-control: private";
    private static final String COOKIE = "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1";

    static List<Vector> all() {
        return List.of(
                single(
                        "C.2.1",
                        "400a637573746f6d2d6b65790d637573746f6d2d686561646572",
                        "custom-key: custom-header",
                        "custom-key: custom-header",
                        55),
                single("C.2.2", "040c2f73616d706c652f70617468", ":path: /sample/path", "", 0),
                single("C.2.3", "100870617373776f726406736563726574", "password: secret", "", 0),
                single("C.2.4", "82", ":method: GET", "", 0),
                new Vector(
                        "C.3 requests without Huffman",
                        4096,
                        List.of(
                                new Block("828684410f7777772e6578616d706c652e636f6d", REQUEST, AUTHORITY, 57),
                                new Block(
                                        "828684be58086e6f2d6361636865",
                                        SECOND,
                                        "cache-control: no-cache|" + AUTHORITY,
                                        110),
                                new Block(
                                        "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
                                        THIRD,
                                        "custom-key: custom-value|cache-control: no-cache|" + AUTHORITY,
                                        164))),
                new Vector(
                        "C.4 requests with Huffman",
                        4096,
                        List.of(
                                new Block("828684418cf1e3c2e5f23a6ba0ab90f4ff", REQUEST, AUTHORITY, 57),
                                new Block(
                                        "828684be5886a8eb10649cbf",
                                        SECOND,
                                        "cache-control: no-cache|" + AUTHORITY,
                                        110),
                                new Block(
                                        "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
                                        THIRD,
                                        "custom-key: custom-value|cache-control: no-cache|" + AUTHORITY,
                                        164))),
                new Vector(
                        "C.5 responses without Huffman, with eviction",
                        256,
                        responses(
                                "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e1768747470733a2f2f7777772e6578616d706c652e636f6d",
                                "4803333037c1c0bf",
                                "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31")),
                new Vector(
                        "C.6 responses with Huffman, with eviction",
                        256,
                        responses(
                                "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
                                "4883640effc1c0bf",
                                "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007")));
    }

    private static Vector single(String section, String hex, String fields, String table, int bytes) {
        return new Vector(section, 4096, List.of(new Block(hex, fields, table, bytes)));
    }

    private static List<Block> responses(String first, String second, String third) {
        return List.of(
                new Block(
                        first,
                        String.join("|", ":status: 302", PRIVATE, FIRST_DATE, LOCATION),
                        String.join("|", LOCATION, FIRST_DATE, PRIVATE, ":status: 302"),
                        222),
                new Block(
                        second,
                        String.join("|", ":status: 307", PRIVATE, FIRST_DATE, LOCATION),
                        String.join("|", ":status: 307", LOCATION, FIRST_DATE, PRIVATE),
                        222),
                new Block(
                        third,
                        String.join(
                                "|", ":status: 200", PRIVATE, LAST_DATE, LOCATION, "content-encoding: gzip", COOKIE),
                        String.join("|", COOKIE, "content-encoding: gzip", LAST_DATE),
                        215));
    }

    private HpackVectors() {}
}
