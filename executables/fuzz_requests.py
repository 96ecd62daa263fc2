"""Requests that a broken or hostile client could send, as Hypothesis strategies."""

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fuzz_values import JSON_TEXTS, LEAVES, NESTED, NUMBERS, PLAUSIBLE, TEXTS, mostly
from hypothesis import strategies as st

MEDIA_TYPES = st.one_of(
    st.just("application/json"),
    st.sampled_from(
        [
            "text/csv",
            "application/octet-stream",
            "text/plain",
            "application/json; charset=utf-16",
            "text/csv; header=absent",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            ";",
            ",",
            "\u00e9",
            "*/*",
        ]
    ),
)
PATHS = st.sampled_from(
    [
        "/predict",
        "/invocations",
        "/v2/models/model/infer",
        "/feedback",
        "/predict?x=%00",
        "/health",
        "/ready",
        "/version",
        "/schema",
        "/metrics",
        "/openapi.json",
        "/docs",
        "/v2",
        "/v2/models/model",
        "/docs/../predict",
        "//predict",
        "/%2e%2e/",
        "/predict%2f",
        "/\u00ff",
        "/%",
        "/v2/models/%7Bname%7D/infer",
        "/docs/swagger-ui.css/..",
        "/?",
        "/;a=b",
    ]
)
POSTED = st.sampled_from(["/predict", "/invocations", "/v2/models/model/infer", "/feedback"])
METHODS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "X-Request-Id",
                "Accept",
                "Authorization",
                "X-API-Key",
                "Inference-Header-Content-Length",
                "Content-Encoding",
                "Accept-Encoding",
                "Cookie",
                "X-Forwarded-For",
                "Origin",
                "Range",
                "If-None-Match",
                "Forwarded",
                "X-A",
            ]
        ),
        st.one_of(
            st.sampled_from(["", "0", "1", "-1", "99999999999", "gzip", "identity", "Bearer", "\u00ff", "a,b", "%00"]),
            st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20).map(str.strip),
            st.just(5000).map("9".__mul__),
        ),
    ),
    max_size=3,
    unique_by=lambda pair: pair[0],
)
BROKEN_LINES = st.sampled_from(
    [
        b"No colon",
        b": no name",
        b"Sp ace: x",
        b"X: a\x00b",
        b"X: a\rb",
        b" folded: x",
        b"X-\xff: y",
        b"Content-Length: 1, 2",
        b"Content-Length: -1",
        b"Content-Length: 1e3",
        b"Transfer-Encoding: gzip",
        b"Transfer-Encoding: chunked, identity",
        b"Expect: the-unexpected",
        b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAA",
        b"Upgrade: websocket\r\nConnection: Upgrade",
        b"Connection: close",
        b"Host: other",
    ]
)


@dataclass(frozen=True)
class Request:
    """What is sent.

    Attributes
    ----------
    content
        All bytes.
    is_http
        Whether the head is right, so that the application and not the server in front of it answers.
    is_last
        Whether the sender says that nothing follows, because the server would wait for more.
    is_comparable
        Whether all servers must answer alike.
    """

    content: bytes
    is_http: bool = True
    is_last: bool = False
    is_comparable: bool = True

    def __repr__(self) -> str:
        """Show the beginning."""
        shown = self.content if len(self.content) <= 2000 else self.content[:2000] + b"..."
        return f"Request({shown!r}, is_http={self.is_http}, is_last={self.is_last})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # else Hypothesis would show all bytes
        printer.text(repr(self))


def requests_to(example: Mapping[str, Any]) -> st.SearchStrategy[Request]:
    """Return requests around a valid record: most of them go deep into the service, some not beyond the server."""
    json_type, csv_type = st.just("application/json"), st.just("text/csv")
    headers = mostly(st.just([]), HEADERS, one_in=4)
    deep = [
        st.builds(post, st.just("/predict"), json_bodies(example), json_type, headers),
        st.builds(post, st.just("/invocations"), csv_bodies(example), csv_type, headers),
        st.builds(post, st.just("/invocations"), forms(example), json_type, headers),
        st.builds(post, st.just("/feedback"), feedback(), json_type, headers),
        tensor_posts(example),
    ]
    anything = st.one_of(json_bodies(example), csv_bodies(example), st.binary(max_size=300))
    sizes = st.lists(st.integers(1, 50), min_size=1, max_size=5)
    return st.one_of(
        *deep,
        *deep,
        st.builds(plain, METHODS, PATHS, anything, MEDIA_TYPES, HEADERS),
        st.builds(post, POSTED, anything, MEDIA_TYPES, HEADERS),
        st.builds(chunked, POSTED, anything, json_type, sizes),
        broken_requests(anything),
    )


def json_bodies(example: Mapping[str, Any]) -> st.SearchStrategy[bytes]:
    """Return bodies that are JSON, or were once."""
    one = records(example)
    batches = st.lists(one, max_size=5).map(lambda items: f"[{','.join(items)}]")
    mixed = st.lists(mostly(one, JSON_TEXTS, one_in=3), max_size=5).map(lambda items: f"[{','.join(items)}]")
    return damaged(mostly(st.one_of(one, batches), st.one_of(mixed, JSON_TEXTS, NESTED), one_in=4).map(as_bytes))


def feedback() -> st.SearchStrategy[bytes]:
    """Return labels fed back to predictions that may be."""
    identifiers = mostly(st.uuids().map(lambda value: f'"{value}"'), LEAVES, one_in=3)
    labels = mostly(st.sampled_from(["0", "1", "1.0"]), LEAVES, one_in=3)
    return damaged(st.builds('{{"prediction_id": {}, "label": {}}}'.format, identifiers, labels).map(as_bytes))


def records(example: Mapping[str, Any]) -> st.SearchStrategy[str]:
    """Return records as JSON texts: valid ones, with some values exchanged, left out, given twice or added."""
    valid = [(json.dumps(name), json.dumps(value)) for name, value in example.items()]
    names = st.sampled_from([name for name, _ in valid])
    values = mostly(st.one_of(st.sampled_from([value for _, value in valid]), PLAUSIBLE), JSON_TEXTS, one_in=4)
    changes = st.lists(st.tuples(names, values), max_size=3)
    added = st.lists(st.tuples(st.one_of(TEXTS.map(json.dumps), st.just('"Age"')), LEAVES), max_size=2)
    left_out = mostly(st.just(set()), st.sets(names, max_size=2), one_in=4)

    def put_together(changes: Any, added: Any, left_out: Any, twice: bool) -> str:
        changed = dict(changes)
        pairs = [(name, changed.get(name, value)) for name, value in valid if name not in left_out]
        pairs += [*added, *(changes if twice else ())]
        return "{" + ", ".join(f"{name}: {value}" for name, value in pairs) + "}"

    return st.builds(put_together, changes, added, left_out, st.booleans())


def damaged(bodies: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Return bodies, mostly as they are, some cut off, with other bytes in between, or encoded in another way."""

    def damage(body: bytes, kind: str, place: int, piece: bytes) -> bytes:
        place %= len(body) + 1
        match kind:
            case "cut":
                return body[:place]
            case "insert":
                return body[:place] + piece + body[place:]
            case "replace":
                return body[:place] + piece + body[place + len(piece) :]
            case "encode":
                return body.decode("utf-8", "replace").encode("utf-16")
            case _:
                return b"\xef\xbb\xbf" + body

    kinds = st.sampled_from(["cut", "insert", "replace", "encode", "mark"])
    broken = st.builds(damage, bodies, kinds, st.integers(0, 2000), st.binary(min_size=1, max_size=4))
    return mostly(bodies, broken, one_in=8)


def csv_bodies(example: Mapping[str, Any]) -> st.SearchStrategy[bytes]:
    """Return CSV with a header, more or less."""
    cells = st.one_of(
        TEXTS,
        NUMBERS,
        st.sampled_from(['"', '""', '"a\nb"', '"open', "a\x00b", "\r", "\t", "'", "=1+1"]),
    )
    names = st.permutations(list(example))
    valid = {name: "" if value is None else str(value) for name, value in example.items()}

    def put_together(names: Sequence[str], changes: Mapping[int, str], separator: str, end: str, n_rows: int) -> bytes:
        values = [valid[name] for name in names]
        for place, cell in changes.items():
            values[place % len(values)] = cell
        lines = [separator.join(names), *[separator.join(values)] * n_rows]
        return as_bytes(end.join(lines))

    return damaged(
        st.builds(
            put_together,
            names,
            st.dictionaries(st.integers(0, 20), cells, max_size=2),
            st.sampled_from([",", ",", ",", ";", "\t"]),
            st.sampled_from(["\n", "\r\n", "\r", "\n\n"]),
            st.integers(0, 4),
        )
    )


def forms(example: Mapping[str, Any]) -> st.SearchStrategy[bytes]:
    """Return bodies of ``/invocations``."""
    one = records(example)
    lists = st.lists(st.one_of(one, JSON_TEXTS), max_size=3).map(lambda items: f"[{','.join(items)}]")
    named = st.builds(
        '{{"{}": {}}}'.format,
        st.sampled_from(["dataframe_records", "instances", "inputs", "dataframe_split", "signature_name"]),
        st.one_of(lists, one, JSON_TEXTS),
    )
    columns = st.dictionaries(
        st.sampled_from([*example, "other"]),
        st.lists(LEAVES, max_size=3).map(lambda items: f"[{','.join(items)}]"),
        max_size=4,
    ).map(lambda pairs: '{"inputs": {' + ",".join(f'"{name}": {value}' for name, value in pairs.items()) + "}}")
    split = st.builds(
        '{{"dataframe_split": {{"columns": {}, "data": {}, "index": {}}}}}'.format,
        st.one_of(st.just(json.dumps(list(example))), JSON_TEXTS),
        st.one_of(st.just(json.dumps([list(example.values())])), JSON_TEXTS),
        LEAVES,
    )
    return damaged(st.one_of(named, columns, split).map(as_bytes))


def tensor_posts(example: Mapping[str, Any]) -> st.SearchStrategy[Request]:
    """Return requests of the Open Inference Protocol, with tensors in JSON and behind it."""
    types = st.sampled_from(["BYTES", "FP64", "FP32", "FP16", "INT64", "INT8", "UINT64", "BOOL", "BF16", ""])

    def tensor(name: str, value: Any, change: Any) -> tuple[str, bytes]:
        shape, datatype, data, content, size = change
        head: dict[str, Any] = {"name": name, "shape": shape, "datatype": datatype or "BYTES"}
        if content is None:
            text = json.dumps({**head, "data": "DATA"})
            return text.replace('"DATA"', json.dumps([value]) if data is None else data), b""
        return json.dumps({**head, "parameters": {"binary_data_size": len(content) + size}}), content

    def put_together(changes: Mapping[str, Any], extra: str, shift: int) -> Request:
        usual = ([1], None, None, None, 0)
        parts = [tensor(name, value, changes.get(name, usual)) for name, value in example.items()]
        head = as_bytes('{"inputs": [' + ", ".join(text for text, _ in parts) + "]" + extra + "}")
        binary = b"".join(content for _, content in parts)
        headers = [("Inference-Header-Content-Length", str(len(head) + shift))] if binary else []
        return post("/v2/models/model/infer", head + binary, "application/octet-stream", headers)

    contents = st.one_of(
        st.none(),
        st.binary(max_size=20),
        TEXTS.map(lambda text: struct.pack("<I", len(text.encode())) + text.encode()),
        st.floats(width=32).map(lambda number: struct.pack("<f", number)),
    )
    changes = st.tuples(
        st.one_of(st.just([1]), st.lists(st.integers(-1, 3), max_size=3), st.just([10**30])),
        types,
        st.one_of(st.none(), st.none(), JSON_TEXTS),
        contents,
        st.sampled_from([0, 0, 0, 1, -1, 10**6]),
    )
    extra = st.one_of(st.just(""), st.builds(', "id": {}, "outputs": {}'.format, JSON_TEXTS, JSON_TEXTS))
    return st.builds(
        put_together,
        st.dictionaries(st.sampled_from(list(example)), changes, max_size=3),
        extra,
        st.sampled_from([0, 0, 0, 1, -1]),
    )


def broken_requests(bodies: st.SearchStrategy[bytes]) -> st.SearchStrategy[Request]:
    """Return what is no HTTP, or whose length is not what it says."""
    noise = st.one_of(
        st.binary(min_size=1, max_size=100), st.sampled_from([b"\x16\x03\x01\x02", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"])
    )
    return st.one_of(
        noise.map(lambda content: Request(content + b"\r\n\r\n", is_http=False, is_last=True)),
        st.builds(with_broken_line, bodies, BROKEN_LINES),
        st.builds(with_wrong_length, bodies, st.integers(1, 5000)),
        st.builds(with_broken_chunk, bodies, st.sampled_from([b"zz", b"-1", b"", b"0x5", b"fffffffff", b"5;a=b"])),
    )


def head(method: str, path: str, media_type: str, headers: Sequence[tuple[str, str]]) -> bytes:
    """Return the beginning of a request, up to its last header."""
    lines = [f"{method} {path} HTTP/1.1", "Host: fuzz", f"Content-Type: {media_type}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join(lines).encode("latin-1")


def post(path: str, body: bytes, media_type: str, headers: Sequence[tuple[str, str]]) -> Request:
    """Return a request that posts a body."""
    return plain("POST", path, body, media_type, headers)


def plain(method: str, path: str, body: bytes, media_type: str, headers: Sequence[tuple[str, str]]) -> Request:
    """Return a request with a body of the length that it says."""
    content = head(method, path, media_type, headers) + b"\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    # Servers differ in how they read such paths, and /metrics and /openapi.json in what they have counted and found.
    is_plain = path.isascii() and not any(odd in path for odd in ("%", "..", "metrics", "//", ";"))
    return Request(content, is_http=path.isascii(), is_comparable=is_plain)


def chunked(path: str, body: bytes, media_type: str, sizes: Sequence[int]) -> Request:
    """Return a request whose body comes in chunks."""
    pieces, place = [], 0
    for size in sizes:
        piece = body[place : place + size]
        pieces.append(b"%x\r\n%s\r\n" % (len(piece), piece) if piece else b"")
        place += size
    rest = body[place:]
    pieces.append((b"%x\r\n%s\r\n" % (len(rest), rest) if rest else b"") + b"0\r\n\r\n")
    return Request(head("POST", path, media_type, []) + b"\r\nTransfer-Encoding: chunked\r\n\r\n" + b"".join(pieces))


def with_broken_line(body: bytes, line: bytes) -> Request:
    """Return a request with a header that is none."""
    start = head("POST", "/predict", "application/json", [])
    content = start + b"\r\n" + line + b"\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    return Request(content, is_http=False, is_last=True)


def with_wrong_length(body: bytes, more: int) -> Request:
    """Return a request that says to be longer than it is."""
    start = head("POST", "/invocations", "text/csv", [])
    return Request(start + b"\r\nContent-Length: %d\r\n\r\n%s" % (len(body) + more, body), is_last=True)


def with_broken_chunk(body: bytes, size: bytes) -> Request:
    """Return a request whose second chunk is broken."""
    start = head("POST", "/invocations", "text/csv", []) + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
    content = start + b"%x\r\n%s\r\n%s\r\n%s\r\n0\r\n\r\n" % (len(body), body, size, body)
    return Request(content, is_http=False, is_last=True)


def as_bytes(text: str) -> bytes:
    """Return a text in UTF-8; single surrogates, which it cannot hold, as what Python makes of them."""
    return text.encode("utf-8", "surrogatepass")
