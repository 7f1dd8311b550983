"""The use cases that span phases: what the pages and the command line both call."""

from core.lifecycle.demo import DEMO_ACTOR, DEMO_MARKET, open_demo
from core.lifecycle.desk import Desk, open_desk, price_table
from core.lifecycle.intake import (
    IntakePreview,
    IntakeReport,
    NewMarket,
    SourceFile,
    SourcePreview,
    commit_intake,
    ingest,
    prepare_intake,
    preview_source,
)
from core.lifecycle.modelling import evaluate_model, promote, rollback, train_model

__all__ = [
    "DEMO_ACTOR",
    "DEMO_MARKET",
    "Desk",
    "IntakePreview",
    "IntakeReport",
    "NewMarket",
    "SourceFile",
    "SourcePreview",
    "commit_intake",
    "evaluate_model",
    "ingest",
    "open_demo",
    "open_desk",
    "prepare_intake",
    "preview_source",
    "price_table",
    "promote",
    "rollback",
    "train_model",
]
