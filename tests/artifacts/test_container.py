"""The file around an artifact."""

import errno
import os
import zipfile
from pathlib import Path

import pytest

from ml_project.artifacts.container import pack, read_container, unpack, write_container
from ml_project.errors import ArtifactDamagedError, ArtifactError

MEMBERS = {"manifest.json": b'{"a": 1}', "model.skops": bytes(range(256)) * 3, "empty": b""}


def test_container_written_and_read_gives_the_members(tmp_path: Path):
    write_container(tmp_path / "new" / "model.zip", MEMBERS)
    assert read_container(tmp_path / "new" / "model.zip") == MEMBERS


def test_container_is_a_plain_zip_file(tmp_path: Path):
    write_container(tmp_path / "model.zip", MEMBERS)
    with zipfile.ZipFile(tmp_path / "model.zip") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == list(MEMBERS)


def test_pack_equal_members_gives_equal_bytes():
    assert pack(MEMBERS) == pack(MEMBERS)


def test_unpack_any_flipped_byte_is_noticed():
    content = pack(MEMBERS)
    for position in range(len(content)):
        damaged = bytearray(content)
        damaged[position] ^= 0x20
        with pytest.raises(ArtifactDamagedError, match="here"):
            unpack(bytes(damaged), "here")


def test_unpack_any_truncation_is_noticed():
    content = pack(MEMBERS)
    for length in range(len(content)):
        with pytest.raises(ArtifactDamagedError, match="export the model again"):
            unpack(content[:length], "here")


def test_unpack_bytes_appended_is_noticed():
    with pytest.raises(ArtifactDamagedError, match="closing hash"):
        unpack(pack(MEMBERS) + b"x", "here")


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip file", b"\x80\x04K\x01."])
def test_unpack_something_else_is_refused(content: bytes):
    with pytest.raises(ArtifactDamagedError, match="here is"):
        unpack(content, "here")


def test_read_container_other_zip_file_is_refused(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(ArtifactDamagedError, match="zip file that is no artifact"):
        read_container(tmp_path / "other.zip")


def test_read_container_folder_is_refused_naming_files_in_it(tmp_path: Path):
    write_container(tmp_path / "model.zip", MEMBERS)
    with pytest.raises(ArtifactError, match=r"is a folder.*model\.zip"):
        read_container(tmp_path)


def test_read_container_missing_file_names_near_ones(tmp_path: Path):
    write_container(tmp_path / "titanic.zip", MEMBERS)
    with pytest.raises(ArtifactError, match=r"no artifact at .*titanik\.zip.*files in .*titanic\.zip"):
        read_container(tmp_path / "titanik.zip")


def test_read_container_missing_folder_says_so(tmp_path: Path):
    with pytest.raises(ArtifactError, match="does not exist either"):
        read_container(tmp_path / "nowhere" / "model.zip")


def test_write_container_target_is_a_folder_is_refused(tmp_path: Path):
    with pytest.raises(ArtifactError, match="folder"):
        write_container(tmp_path, MEMBERS)


def test_write_container_parent_is_a_file_is_refused(tmp_path: Path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ArtifactError, match="cannot be written"):
        write_container(tmp_path / "file" / "model.zip", MEMBERS)


@pytest.mark.parametrize("failing", ["write", "flush"])
def test_write_container_full_disk_keeps_the_old_artifact(tmp_path: Path, monkeypatch, failing: str):
    path = tmp_path / "model.zip"
    write_container(path, {"old": b"old"})

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        if failing == "write":
            patch.setattr(Path, "write_bytes", fail)
        else:
            patch.setattr(os, "fsync", fail)
        with pytest.raises(ArtifactError, match=r"disk is full: .*model\.zip needs [\d,]+ bytes and [\d,]+ are free"):
            write_container(path, MEMBERS)
    assert read_container(path) == {"old": b"old"}
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.zip"]


def test_write_container_interrupted_keeps_the_old_artifact(tmp_path: Path, monkeypatch):
    path = tmp_path / "model.zip"
    write_container(path, {"old": b"old"})

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", interrupt)
        with pytest.raises(KeyboardInterrupt):
            write_container(path, MEMBERS)
    assert read_container(path) == {"old": b"old"}
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.zip"]
