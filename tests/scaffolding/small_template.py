"""A template of few files, for what does not need a whole one."""

import json
import subprocess
from pathlib import Path

from scaffolding.template.lock_file import pipfile_hash

PYPROJECT = """\
[project]
name = "first-try"

[tool.setuptools.dynamic]
version = { attr = "first_try.__version__" }

[tool.isort]
profile = "black"
line_length = 120

[tool.ruff]
line-length = 120
"""
PIPFILE = """\
[[source]]
name = "pypi"
url = "https://pypi.org/simple"
verify_ssl = true

[dev-packages]
first-try = {path = ".", editable = true}
"""
TEMPLATE = {
    "package": "first_try",
    "line_length": 120,
    "example": {"word": "titanic", "places": ["docs", "run.sh"], "elsewhere": ["docs/figures.md"]},
    "lines": {},
}
FILES = {
    "pyproject.toml": PYPROJECT,
    "Pipfile": PIPFILE,
    ".gitignore": "/output/\n*.log\n",
    "scaffolding/template/template.json": json.dumps(TEMPLATE),
    "first_try/__init__.py": '__version__ = "1"\n',
    "first_try/project/__init__.py": "",
    "first_try/project/schema.py": "OWN = 1\n",
    "first_try/model.py": "import first_try\nfrom zoo import animal\n\nNAME = 'first-try'\n",
    "use_cases/use_case_config.py": "OWN = 1\n",
    "use_cases/train.py": "import first_try\n",
    "tests/project/__init__.py": "",
    "tests/project/test_own.py": "OWN = 1\n",
    "data/data/own.csv": "a\n1\n",
    "docs/page.md": "python -m first_try predict data/titanic.zip  # of the Titanic\n",
    "docs/figures.md": "measured on titanic\n",
    "run.sh": "export FIRST_TRY_SEED=1; python -m first_try serve titanic\n",
}


def make_small_template(root: Path, *, with_git: bool = True) -> Path:
    """Write a template of few files and return its folder."""
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    lock = {"_meta": {"hash": {"sha256": pipfile_hash(PIPFILE)}}, "develop": {"first-try": {"path": "."}, "moto": {}}}
    (root / "Pipfile.lock").write_text(json.dumps(lock), encoding="utf-8")
    (root / "run.sh").chmod(0o755)
    if with_git:
        subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
        subprocess.run(["git", "add", "--all"], cwd=root, check=True)
    return root
