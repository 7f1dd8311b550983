"""The only package that touches disk and database: markets, data, models, ledger, events, jobs, presets, uploads."""

from core.store.base.audit import Event
from core.store.base.markets import Market
from core.store.ledger.decisions import DecisionRecord, NewDecision
from core.store.ledger.records import EstimateRecord, EstimateSummary, NewEstimate
from core.store.models.levels import LevelRecord, NewLevel
from core.store.models.registry import ModelRecord, NewModel
from core.store.operations.jobs import Job
from core.store.sales.uploads import Upload
from core.store.sales.version_records import DataVersion, NewVersion
from core.store.store import Store, default_home, open_store

__all__ = [
    "DataVersion",
    "DecisionRecord",
    "EstimateRecord",
    "EstimateSummary",
    "Event",
    "Job",
    "LevelRecord",
    "Market",
    "ModelRecord",
    "NewDecision",
    "NewEstimate",
    "NewLevel",
    "NewModel",
    "NewVersion",
    "Store",
    "Upload",
    "default_home",
    "open_store",
]
