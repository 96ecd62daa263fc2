"""What App Engine starts: the prediction service on $PORT, with the model that lies beside this file."""

import os
import sys
from pathlib import Path

from ml_project.cli import main

ARTIFACT = Path(__file__).with_name("model.zip")

if __name__ == "__main__":
    port = os.environ.get("PORT", "8080")
    sys.exit(main(["serve", "--artifacts.path", str(ARTIFACT), "--host", "0.0.0.0", "--port", port]))  # noqa: S104
