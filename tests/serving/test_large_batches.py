"""Large batches that come faster than they can be stored: their answers wait, and nothing is lost."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from ml_project.monitoring.storage import read_predictions
from tests.serving.conftest import FRAMEWORKS
from tests.serving.running import serving

N_CLIENTS, N_REQUESTS, N_RECORDS = 4, 6, 500


@pytest.mark.parametrize("durable", [False, True], ids=["at once", "durable"])
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_large_batches_of_several_clients_are_all_stored(framework, durable, artifact_file, record, tmp_path):
    options = {"monitoring__storage__max_pending": 4000, "monitoring__storage__durable": str(durable).lower()}
    with serving(framework, artifact_file, tmp_path, **options) as service:

        def send(_):
            answers = [service.post("/predict", [record] * N_RECORDS) for _ in range(N_REQUESTS)]
            return [prediction["prediction_id"] for answer in answers for prediction in answer.json()["predictions"]]

        with ThreadPoolExecutor(N_CLIENTS) as pool:
            ids = [name for names in pool.map(send, range(N_CLIENTS)) for name in names]
        assert len(set(ids)) == N_CLIENTS * N_REQUESTS * N_RECORDS
        assert service.metric("ml_project_lost_predictions_total") == 0
        assert service.stop() == 0
    assert set(read_predictions(f"sqlite:///{tmp_path}/predictions.db")["prediction_id"]) == set(ids)
