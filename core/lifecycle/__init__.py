"""The use cases that span phases: what the pages and the command line both call."""

from core.lifecycle.answering import Answered, Question, answer, recent, stored
from core.lifecycle.batch import PricedFile, price_file, record_file
from core.lifecycle.deciding import DecisionInput, decide
from core.lifecycle.demo import DEMO_ACTOR, DEMO_MARKET, open_demo
from core.lifecycle.desk import Desk, open_desk
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
    "Answered",
    "DecisionInput",
    "Desk",
    "IntakePreview",
    "IntakeReport",
    "NewMarket",
    "PricedFile",
    "Question",
    "SourceFile",
    "SourcePreview",
    "answer",
    "commit_intake",
    "decide",
    "evaluate_model",
    "ingest",
    "open_demo",
    "open_desk",
    "prepare_intake",
    "preview_source",
    "price_file",
    "promote",
    "recent",
    "record_file",
    "rollback",
    "stored",
    "train_model",
]
