from __future__ import annotations

import io
import sys

import pandas as pd
import pytest

from ml_project.errors import DataSourceError

FRAME = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"]})


def parquet_bytes(frame):
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    return buffer.getvalue()


def test_read_csv_on_s3_gives_text(s3_bucket, s3_options, opened):
    source = opened(
        s3_bucket("in/people.csv", b"\xef\xbb\xbfa;b\n1,5;x\n"), csv={"delimiter": ";"}, storage_options=s3_options
    )
    assert source.read().to_dict("list") == {"a": ["1,5"], "b": ["x"]}
    assert source.count_rows() is None


def test_read_parquet_folder_on_s3_gives_all_files_in_order(s3_bucket, s3_options, opened):
    for number in (1, 0):
        s3_bucket(f"parts/part-{number}.parquet", parquet_bytes(FRAME.assign(a=number)))
    source = opened("s3://tables/parts", storage_options=s3_options)
    assert [len(chunk) for chunk in source.read_chunks(4)] == [4, 2]
    assert source.read()["a"].tolist() == [0, 0, 0, 1, 1, 1]
    assert source.count_rows() == 6


def test_read_missing_object_names_a_near_one(s3_bucket, s3_options, opened):
    s3_bucket("in/people.csv", b"a,b\n1,2\n")
    with pytest.raises(DataSourceError, match=r"s3://tables/in/poeple.csv' does not exist.*did you mean 'people.csv'"):
        opened("s3://tables/in/poeple.csv", storage_options=s3_options).read()


def test_read_empty_object_or_absent_bucket_is_refused(s3_bucket, s3_options, opened):
    with pytest.raises(DataSourceError, match=r"empty \(0 bytes\)"):
        opened(s3_bucket("empty.csv", b""), storage_options=s3_options).read()
    with pytest.raises(DataSourceError, match=r"neither does its folder"):
        opened("s3://no-such-bucket/people.csv", storage_options=s3_options).read()


def test_read_ragged_object_names_the_line(s3_bucket, s3_options, opened):
    with pytest.raises(DataSourceError, match=r"line 3: 1 fields"):
        opened(s3_bucket("ragged.csv", b"a,b\n1,2\n3\n"), storage_options=s3_options).read()


def test_read_unreachable_s3_says_what_to_check(s3_options, opened):
    closed = {
        "client_kwargs": {"endpoint_url": "http://127.0.0.1:9"},
        "config_kwargs": {"retries": {"max_attempts": 0}},
    }
    with pytest.raises(
        DataSourceError, match=r"cannot be read .*data.storage_options .*credentials in the environment"
    ):
        opened("s3://tables/people.csv", storage_options={**closed, "secret": "hidden-word"}).read()


def test_read_s3_without_its_package_names_it(opened, monkeypatch):
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(DataSourceError, match=r"needs the package 's3fs'; install it with: pipenv install s3fs"):
        opened("s3a://tables/people.csv").read()


@pytest.fixture
def google_options(google_storage):
    # The short time is for a question in another protocol (gRPC), which this server does not answer.
    return {"token": "anon", "endpoint_url": f"http://127.0.0.1:{google_storage.server_port}", "retry_timeout": 0.001}


def test_read_google_storage_gives_csv_and_parquet(google_storage, google_options, opened):
    google_storage.objects.update({"in/people.csv": b"a,b\n1,x\n", "in/people.parquet": parquet_bytes(FRAME)})
    assert opened("gs://tables/in/people.csv", storage_options=google_options).read().to_dict("list") == {
        "a": ["1"],
        "b": ["x"],
    }
    assert opened("gs://tables/in/people.parquet", storage_options=google_options).read()["a"].tolist() == [1, 2, 3]


def test_read_google_storage_missing_object_names_a_near_one(google_storage, google_options, opened):
    google_storage.objects["in/people.csv"] = b"a,b\n1,x\n"
    with pytest.raises(DataSourceError, match=r"did you mean 'people.csv'"):
        opened("gs://tables/in/poeple.csv", storage_options=google_options).read()
