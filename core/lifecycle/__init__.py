"""The use cases that span phases: what the pages and the command line both call."""

from core.lifecycle.answering import Answered, Question, answer, recent, stored
from core.lifecycle.batch import PricedFile, price_file, record_file
from core.lifecycle.deciding import DecisionInput, decide
from core.lifecycle.demo import DEMO_MARKET, open_demo, open_demo_with_story
from core.lifecycle.demo_intake import DEMO_ACTOR
from core.lifecycle.desk import Desk, open_desk
from core.lifecycle.gates import GateRecord, gate_of
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
from core.lifecycle.retraining import (
    Retrained,
    RetrainPlan,
    promote_challenger,
    retrain,
    window_named,
)
from core.lifecycle.shadowing import ShadowReport, shadow_pending, shadow_report
from core.lifecycle.versions import VersionDiff, compare_versions, history, models_of, undo_version
from core.lifecycle.watching import (
    Watched,
    acknowledge,
    open_alerts,
    resolve,
    set_threshold,
    watch,
)

__all__ = [
    "DEMO_ACTOR",
    "DEMO_MARKET",
    "Answered",
    "DecisionInput",
    "Desk",
    "GateRecord",
    "IntakePreview",
    "IntakeReport",
    "NewMarket",
    "PricedFile",
    "Question",
    "RetrainPlan",
    "Retrained",
    "ShadowReport",
    "SourceFile",
    "SourcePreview",
    "VersionDiff",
    "Watched",
    "acknowledge",
    "answer",
    "commit_intake",
    "compare_versions",
    "decide",
    "evaluate_model",
    "gate_of",
    "history",
    "ingest",
    "models_of",
    "open_alerts",
    "open_demo",
    "open_demo_with_story",
    "open_desk",
    "prepare_intake",
    "preview_source",
    "price_file",
    "promote",
    "promote_challenger",
    "recent",
    "record_file",
    "resolve",
    "retrain",
    "rollback",
    "set_threshold",
    "shadow_pending",
    "shadow_report",
    "stored",
    "train_model",
    "undo_version",
    "watch",
    "window_named",
]
