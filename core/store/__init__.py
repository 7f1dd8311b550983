"""The one place that touches disk and database: markets, data versions, models, events, jobs, presets, uploads."""

from core.store.events import Event
from core.store.jobs import Job
from core.store.markets import Market
from core.store.models import ModelRecord, NewModel
from core.store.store import Store, open_store
from core.store.uploads import Upload
from core.store.versions import DataVersion, NewVersion

__all__ = [
    "DataVersion",
    "Event",
    "Job",
    "Market",
    "ModelRecord",
    "NewModel",
    "NewVersion",
    "Store",
    "Upload",
    "open_store",
]
