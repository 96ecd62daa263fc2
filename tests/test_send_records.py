"""The client script: every format of file, rows refused and rows that cannot be read, exit codes."""

import importlib.util
import json

import pandas as pd
import pytest

from tests.serving.scripted_server import refusal, scripted_server, unused_port
from tests.workspace import REPOSITORY

FRAME = pd.DataFrame({"age": [3.0, None, 0.1 + 0.2, 40.0, 1e300], "name": ['Ä "b", c', "x", "y", "z", "w"]})


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("send_records", REPOSITORY / "executables/send_records.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def send(script, capsys):
    """Return a function that runs the script and gives its exit code, answers and lines on stderr."""

    def run(file, *options):
        code = script.main([str(file), *options])
        output = capsys.readouterr()
        return code, [json.loads(line) for line in output.out.splitlines()], output.err.splitlines()

    return run


def give_back(seen):
    """Answer each record with itself, and refuse requests with ages above 100."""
    wrong = [
        {"row": row, "field": "age", "value": record["age"], "problem": "must be at most 100"}
        for row, record in enumerate(seen.content)
        if record["age"] and float(record["age"]) > 100
    ]
    if wrong:
        return refusal(422, "data_invalid", "The input does not fit the schema.", *wrong)
    return 200, {"predictions": [{"prediction_id": "p", "value": record} for record in seen.content]}


def write(frame, path):
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    elif path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        records = frame.astype(object).where(frame.notna(), None).to_dict("records")
        as_list = path.suffix == ".json"
        path.write_text(json.dumps(records) if as_list else "\n\n".join(map(json.dumps, records)), encoding="utf-8")
    return path


@pytest.mark.parametrize("ending", [".csv", ".json", ".jsonl", ".ndjson", ".parquet"])
def test_main_every_format_is_sent_in_batches_and_answered_by_row(ending, send, tmp_path):
    file = write(FRAME, tmp_path / f"people{ending}")
    with scripted_server(give_back) as server:
        code, answers, told = send(file, "--url", server.url, "--batch-size", "2")
        assert [len(seen.content) for seen in server.seen] == [2, 2, 1]
    assert code == 1  # the last row is refused
    assert told[0].startswith("row 4, age = ")
    assert told[0].endswith("must be at most 100")
    assert told[1] == "send_records: 4 records answered, 1 refused"
    assert [answer["row"] for answer in answers] == [0, 1, 2, 3]
    expected = [{"age": age, "name": name} for age, name in FRAME.head(4).itertuples(index=False)]
    if ending == ".csv":
        ages = ["3.0", "", "0.30000000000000004", "40.0"]
        expected = [{"age": age, "name": record["name"]} for age, record in zip(ages, expected, strict=True)]
    else:
        expected[1]["age"] = None
    assert [answer["value"] for answer in answers] == expected


def test_main_all_answered_returns_0(send, tmp_path):
    with scripted_server(give_back) as server:
        code, answers, told = send(write(FRAME.head(2), tmp_path / "a.csv"), "--url", server.url)
    assert (code, len(answers), told) == (0, 2, ["send_records: 2 records answered, 0 refused"])


def test_main_key_is_taken_from_the_named_variable(send, tmp_path, monkeypatch):
    file = write(FRAME.head(2), tmp_path / "a.csv")
    monkeypatch.setenv("KEY_OF_SERVICE", "0123456789abcdef")
    with scripted_server(give_back) as server:
        assert send(file, "--url", server.url, "--api-key-from-environment", "KEY_OF_SERVICE")[0] == 0
        assert server.seen[0].headers["X-API-Key"] == "0123456789abcdef"
    code, _, told = send(file, "--api-key-from-environment", "NO_SUCH_KEY")
    assert code == 2
    assert "The environment variable NO_SUCH_KEY is not set; put the key of the service into it." in told[0]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", 'age,name\n3,"x"\n\n4\n', "row 1: has 1 fields, and the header 2"),
        ("a.csv", 'age,name\n3,"x\n', "is not CSV near line 2: unexpected end of data"),
        ("a.csv", "age,age\n3,4\n", "has columns with the same name"),
        ("a.csv", b"age\n\xff\n", "invalid start byte"),
        ("a.json", "[1,", "is not JSON: Expecting value"),
        ("a.json", '[{"age": 3}, 4]', "row 1: is not a JSON object"),
        ("a.jsonl", '{"age": 3}\n{"age": \n', "row 1: is not JSON"),
        ("a.jsonl", "[]\n", "row 0: is not a JSON object"),
        ("a.parquet", "no parquet", "is not a usable Parquet file"),
    ],
)
def test_main_rows_that_cannot_be_read_return_1_and_say_where(name, content, told, send, tmp_path):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with scripted_server(give_back) as server:
        code, _, lines = send(tmp_path / name, "--url", server.url)
    assert code == 1
    assert told in "\n".join(lines)


@pytest.mark.parametrize(("name", "told"), [("a.xlsx", "is not known; known are .csv, .json"), ("b.csv", "no file")])
def test_main_files_that_cannot_be_opened_return_2(name, told, send, tmp_path):
    code, _, lines = send(tmp_path / name)
    assert code == 2
    assert told in lines[0]


@pytest.mark.parametrize("words", [["--batch-size", "0"], ["--timeout", "nan"], ["--batch-size", "many"], ["--sped"]])
def test_main_wrong_usage_ends_with_2(words, script, tmp_path):
    with pytest.raises(SystemExit) as ended:
        script.main([str(tmp_path / "a.csv"), *words])
    assert ended.value.code == 2


def test_main_service_that_is_not_there_returns_1(send, script, tmp_path, monkeypatch):
    monkeypatch.setattr("ml_project.serving.client_transport.LONGEST_PAUSE_SECONDS", 0.01)
    code, _, told = send(write(FRAME, tmp_path / "a.csv"), "--url", f"http://127.0.0.1:{unused_port()}")
    assert code == 1
    assert "was tried 5 times in vain: no connection (Connection refused)" in told[0]
