"""Tests of scaffolding.summary."""

from scaffolding.summary import way_to


def test_way_to_folder_is_relative_while_there_is_a_working_directory(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert way_to(tmp_path / "new") == "../new"
    (tmp_path / "here").rmdir()
    assert way_to(tmp_path / "new") == str(tmp_path / "new")
