"""A process that answers: it hands predictions to a storage and prints each id with the time once it is 'answered'.

python -m tests.monitoring.answering URL PREFIX N [durable] [pause=SECONDS] [window=MILLISECONDS] [no-close]
"""

import sys
import time

from ml_project.config_service import StorageConfig
from ml_project.monitoring.storage import PredictionStorage
from ml_project.termination import Terminated, sigterm_raises
from tests.monitoring.batches import make_batch


def main(url, prefix, n, *words):
    options = dict(word.split("=") for word in words if "=" in word)
    window = int(options.get("window", 200))
    storage = PredictionStorage(StorageConfig(url=url, durable="durable" in words, window_milliseconds=window))
    with sigterm_raises():
        try:
            for number in range(int(n)):
                future = storage.add(make_batch([f"{prefix}{number:06d}"]))
                if future is not None:
                    future.result()
                sys.stdout.write(f"{prefix}{number:06d} {time.monotonic()}\n")
                sys.stdout.flush()
                time.sleep(float(options.get("pause", 0)))
        except Terminated:
            pass
        if "no-close" not in words:
            storage.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
