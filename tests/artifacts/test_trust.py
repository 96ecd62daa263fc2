"""Models without code: what may be stored and what may be loaded."""

import io
import json
import os
import sys
import types
import zipfile
from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.base import BaseEstimator
from sklearn.linear_model import Ridge
from sklearn.preprocessing import FunctionTransformer

from ml_project.artifacts.trust import dump_model, load_model
from ml_project.errors import ArtifactDamagedError, ArtifactError


def test_dump_model_round_trip_gives_the_same_model():
    model = Ridge().fit([[0.0], [1.0], [3.0]], [0.0, 1.0, 2.0])
    restored = load_model(dump_model(model))
    assert np.array_equal(restored.predict([[0.5]]), model.predict([[0.5]]))


def test_load_model_function_of_the_system_is_refused_and_not_run():
    content = skops.io.dumps(FunctionTransformer(os.system))
    with pytest.raises(ArtifactError, match=r"types that are not trusted: (posix|nt)\.system.*TRUSTED_PACKAGES"):
        load_model(content)


def test_load_model_crafted_constructor_is_refused_and_not_run(tmp_path: Path):
    made = tmp_path / "made"
    schema = {
        "__class__": "Popen",
        "__module__": "subprocess",
        "__loader__": "ObjectNode",
        "content": {
            "__class__": "dict",
            "__module__": "builtins",
            "__loader__": "DictNode",
            "key_types": {"__class__": "list", "__module__": "builtins", "__loader__": "ListNode", "content": []},
            "content": {"args": {"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode",
                                 "content": json.dumps(f"touch {made}")}},
        },
        "protocol": 2,
        "_skops_version": skops.__version__,
    }  # fmt: skip
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("schema.json", json.dumps(schema))
    with pytest.raises(ArtifactError, match=r"subprocess\.Popen"):
        load_model(buffer.getvalue())
    assert not made.exists()


def test_load_model_unknown_module_is_refused_and_not_imported(tmp_path: Path, monkeypatch):
    (tmp_path / "planted.py").write_text("class Model:\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    module = types.ModuleType("planted")
    model = type("Model", (BaseEstimator,), {"__module__": "planted"})
    module.Model = model
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "planted", module)
        content = skops.io.dumps(model())
    with pytest.raises(ArtifactError, match=r"not trusted: planted\.Model"):
        load_model(content)
    assert "planted" not in sys.modules


class OwnEstimator(BaseEstimator):
    """An estimator outside the trusted packages."""


def test_dump_model_untrusted_estimator_is_refused_at_export():
    with pytest.raises(ArtifactError, match=r"test_trust\.OwnEstimator"):
        dump_model(OwnEstimator())


def test_dump_model_that_skops_cannot_store_is_refused():
    with pytest.raises(ArtifactError, match="cannot be stored"):
        dump_model(FunctionTransformer(kw_args={"rows": (row for row in ())}))


@pytest.mark.parametrize("content", [b"", b"not a zip file", skops.io.dumps(Ridge())[:-30]])
def test_load_model_damaged_is_refused(content: bytes):
    with pytest.raises(ArtifactDamagedError, match="export it again"):
        load_model(content)


def test_load_model_zip_without_schema_is_refused():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("other.json", "{}")
    with pytest.raises(ArtifactDamagedError, match="cannot be read"):
        load_model(buffer.getvalue())


def test_load_model_zip_bomb_is_refused_before_it_is_unpacked():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", b" " * 50_000_000)
    with pytest.raises(ArtifactDamagedError, match="which no model does"):
        load_model(buffer.getvalue())
