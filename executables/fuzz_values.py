"""Values that a broken or hostile client could send, as texts of JSON."""

import json

from hypothesis import strategies as st


def mostly[T](usual: st.SearchStrategy[T], rare: st.SearchStrategy[T], *, one_in: int) -> st.SearchStrategy[T]:
    """Return the usual values, and now and then a rare one."""
    return st.integers(1, one_in).flatmap(lambda number: rare if number == one_in else usual)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NUMBERS = st.sampled_from(
    [
        "0",
        "-0",
        "-0.0",
        "1e400",
        "-1e400",
        "1e-400",
        "0.1e1",
        "9007199254740993",
        "1e99999999999",
        "9223372036854775808",
    ]
)
BROKEN_NUMBERS = st.sampled_from(["00", "1.", ".5", "+1", "0x10", "1_000", "NaN", "Infinity", "-Infinity"])
HOSTILE_TEXTS = st.sampled_from(
    [
        '"\\u0000"',
        '"a\\u0000b"',
        '"\ufeff"',
        '"\u202e"',
        '"\U0010ffff"',
        '"nan"',
        '"NULL"',
        '"1e400"',
        '" 7 "',
        '"--"',
        '""',
    ]
)
BROKEN_TEXTS = st.sampled_from(
    ['"\\ud800"', '"\\udc00\\ud800"', '"\x01"', '"\\x41"', "'single'", '"open', "undefined", "None", ""]
)
PLAUSIBLE = st.sampled_from(
    [
        "null",
        "0",
        "1",
        "3",
        "20",
        "1.0",
        "29.5",
        '"1"',
        '" 20 "',
        '""',
        '"female"',
        '"male"',
        '"S"',
        '"C"',
        '"x"',
        "1e2",
    ]
)
LONG = st.sampled_from([400, 4000, 5000, 140_000])
VALID_LEAVES = st.one_of(
    NUMBERS,
    LONG.map(lambda length: "1" * length),
    LONG.map(lambda length: '"' + "x" * length + '"'),
    HOSTILE_TEXTS,
    TEXTS.map(json.dumps),
    st.integers().map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(["null", "true", "false", "{}", "[]"]),
)
LEAVES = mostly(VALID_LEAVES, st.one_of(BROKEN_NUMBERS, BROKEN_TEXTS), one_in=20)
JSON_TEXTS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda items: f"[{','.join(items)}]"),
        st.lists(st.tuples(TEXTS.map(json.dumps), inner), max_size=4).map(
            lambda pairs: "{" + ",".join(f"{name}:{value}" for name, value in pairs) + "}"
        ),
    ),
    max_leaves=6,
)
NESTED = st.builds(
    lambda opening, depth, closes: opening * depth + "1" + {"[": "]", '{"a":': "}"}[opening] * depth * closes,
    st.sampled_from(["[", '{"a":']),
    st.sampled_from([50, 190, 210, 5000]),
    st.booleans(),
)
