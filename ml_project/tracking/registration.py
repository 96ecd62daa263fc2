"""Registering a model, and the rule by which a new version becomes champion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from ml_project.tracking.records import HoldoutScore, Registration

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel
    from mlflow.entities.model_registry import RegisteredModel

ChampionRule = Literal["never", "first", "better"]
SECONDS_TO_REGISTER = 60


def register_version(
    client: MlflowClient, name: str, model: LoggedModel, score: HoldoutScore, rule: ChampionRule
) -> Registration:
    """Register a stored model as a new version: always challenger, and champion where the rule says so.

    Parameters
    ----------
    client
        Client of the place that stores the model.
    name
        Name of the registered model, made where it does not exist.
    model
        The stored model.
    score
        Score of the new version on the holdout; stored as tags of the version.
    rule
        When a new version becomes champion.
    """
    registered = _find_registered_model(client, name)
    champion = _champion_version(registered)
    version = client.create_model_version(
        name,
        source=model.artifact_location,
        run_id=model.source_run_id,
        tags=to_tags(score),
        await_creation_for=SECONDS_TO_REGISTER,
        model_id=model.model_id,
    ).version
    client.set_registered_model_alias(name, "challenger", version)
    champion_tags = None if champion is None else client.get_model_version(name, champion).tags
    wins, reason = becomes_champion(score, champion_tags, rule)
    if champion is not None:
        reason = f"{reason} (champion so far: version {champion})"
    if wins:
        client.set_registered_model_alias(name, "champion", version)
    return Registration(name=name, version=str(version), alias="champion" if wins else "challenger", reason=reason)


def to_tags(score: HoldoutScore) -> dict[str, str]:
    """Return the tags by which a version's score is compared later."""
    return {
        "ranking_metric": score.metric,
        "ranking_score": repr(float(score.value)),
        "data_fingerprint": score.data_fingerprint,
        "holdout_fingerprint": score.holdout_fingerprint,
    }


def becomes_champion(
    score: HoldoutScore, champion_tags: Mapping[str, str] | None, rule: ChampionRule
) -> tuple[bool, str]:
    """Return whether a new version becomes champion, and why.

    Parameters
    ----------
    score
        Score of the new version.
    champion_tags
        Tags of the champion so far; ``None`` where there is none.
    rule
        ``never``; ``first``: only where there is none; ``better``: also where the new version scores better on the
        same rows of the same data.
    """
    if rule == "never":
        return False, "tracking.champion_rule is never"
    if champion_tags is None:
        return True, "there is no champion yet"
    if rule == "first":
        return False, "there is a champion already, and tracking.champion_rule is first"
    return _is_better(score, champion_tags)


def _is_better(score: HoldoutScore, champion_tags: Mapping[str, str]) -> tuple[bool, str]:
    compared = {
        "ranking_metric": (score.metric, "the champion was ranked by another metric"),
        "data_fingerprint": (score.data_fingerprint, "the champion was trained on other data"),
        "holdout_fingerprint": (score.holdout_fingerprint, "the champion was evaluated on another holdout"),
    }
    for tag, (value, reason) in compared.items():
        found = champion_tags.get(tag)
        if found != value:
            return False, f"{reason}, so the scores cannot be compared ({tag} {found!r}, here {value!r})"
    return _compare(score, float(champion_tags["ranking_score"]))


def _compare(score: HoldoutScore, champion_value: float) -> tuple[bool, str]:
    better = score.value > champion_value if score.greater_is_better else score.value < champion_value
    verdict = "is better than" if better else "is not better than"
    return better, f"{score.metric} {score.value:.6g} on the holdout {verdict} the champion's {champion_value:.6g}"


def _champion_version(registered: RegisteredModel) -> str | None:
    version = dict(registered.aliases).get("champion")
    return None if version is None else str(version)


def _find_registered_model(client: MlflowClient, name: str) -> RegisteredModel:
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, ErrorCode

    try:
        return client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code != ErrorCode.Name(RESOURCE_DOES_NOT_EXIST):
            raise
    return client.create_registered_model(name)
