"""The model of a stored sweep: the heat engine, or any other as the store describes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from catalog.heat_engine.model import HeatEngine
from catalog.models.contract import Model, path_of
from catalog.models.recorded import RecordedModel, record_of
from ensemble import InvalidInput


def known_model(record: Mapping[str, Any]) -> Model:
    """The model that a record describes; nothing is imported.

    It is the heat engine itself if the record says so and everything in it is as it is in this
    version; otherwise the terms are taken from the record, so that older results are read as
    they were written.

    Raises
    ------
    KeyError, TypeError, ValueError
        If it is no record of a model.
    """
    recorded = RecordedModel(record)
    if recorded.path != path_of(HeatEngine):
        return recorded
    try:
        engine = HeatEngine.from_options(recorded.options())
    except (InvalidInput, TypeError):  # an option or a method that this version does not have
        return recorded
    return engine if json.dumps(record_of(engine)) == json.dumps(record) else recorded
