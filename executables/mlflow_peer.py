"""The same fitted model as MLflow's users would serve it: scikit-learn's pipeline behind a python model."""

import sys
from pathlib import Path

MLFLOW_PORT_OPTION = "--port"


def write_mlflow_model(folder: Path, artifact: Path) -> Path:
    """Return the folder of an MLflow model that gives label and probabilities.

    Parameters
    ----------
    folder
        Folder to write.
    artifact
        Exported model, whose scikit-learn pipeline is served.
    """
    import os

    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    import mlflow.pyfunc

    mlflow.pyfunc.save_model(
        path=str(folder),
        python_model=str(Path(__file__).with_name("mlflow_peer_model.py")),
        artifacts={"exported_model": str(artifact)},
        pip_requirements=[f"scikit-learn=={sys.modules['sklearn'].__version__}"] if "sklearn" in sys.modules else [],
    )
    return folder
