"""The one place that touches disk and database: markets, data, models, ledger, events, jobs, presets, uploads."""

from core.store.events import Event
from core.store.jobs import Job
from core.store.ledger import DecisionRecord, EstimateRecord, EstimateSummary, NewDecision, NewEstimate
from core.store.levels import LevelRecord, NewLevel
from core.store.markets import Market
from core.store.models import ModelRecord, NewModel
from core.store.store import Store, open_store
from core.store.uploads import Upload
from core.store.versions import DataVersion, NewVersion

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
    "open_store",
]
