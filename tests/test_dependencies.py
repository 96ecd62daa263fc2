"""The lock: which packages go where, and that every group of them fits every other."""

import json
import re
import tomllib
from collections import defaultdict
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
FOR_PREDICTIONS = {"numpy", "onnxruntime", "pydantic", "pyyaml", "prometheus-client"}


@pytest.fixture(scope="module")
def lock():
    return json.loads((REPOSITORY / "Pipfile.lock").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def pipfile():
    return tomllib.loads((REPOSITORY / "Pipfile").read_text(encoding="utf-8"))


def test_lock_groups_agree_on_versions(lock):
    versions = defaultdict(set)
    for category, packages in lock.items():
        if category != "_meta":
            for name, package in packages.items():
                versions[name].add(package.get("version"))
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_lock_packages_come_from_the_public_index_with_hashes(lock):
    assert [source["url"] for source in lock["_meta"]["sources"]] == ["https://pypi.org/simple"]
    packages = {name: found for category in lock if category != "_meta" for name, found in lock[category].items()}
    assert [name for name, found in packages.items() if not found.get("hashes")] == ["ml-project"]
    assert {found["index"] for found in packages.values() if "index" in found} <= {"pypi"}


def test_packages_for_predictions_are_no_more_than_these(pipfile):
    assert set(pipfile["packages"]) == FOR_PREDICTIONS


def test_setup_installs_and_page_locks_every_category(pipfile):
    wanted = {section for section in pipfile if section not in ("source", "requires")}
    script = (REPOSITORY / "executables/setup.sh").read_text(encoding="utf-8")
    setup = re.findall(r'^(?:readonly )?CATEGORIES="(.*)"$', script, re.MULTILINE)
    page = (REPOSITORY / "documentation/dependencies.md").read_text(encoding="utf-8")
    assert {name for line in setup for name in line.split()} - {"$CATEGORIES"} == wanted
    assert set(re.search(r'pipenv lock --categories "(.*)"', page)[1].split()) == wanted
