"""The tables of the store, as SQLAlchemy Core."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import sqlalchemy as sa

SCHEMA_REVISION: Final = "0018"
"""The alembic revision of these tables; an older store is migrated, a newer one refused."""

METADATA: Final = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """An instant that is always timezone-aware UTC in Python, even if the database (SQLite) stores no time zone."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Convert an aware instant to UTC; raises ValueError for a naive one, which is ambiguous."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone; the store keeps instants in UTC")
        instant = value.astimezone(UTC)
        return instant.replace(tzinfo=None) if dialect.name == "sqlite" else instant

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Give the stored instant its time zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def now() -> datetime:
    """Return the current instant in UTC."""
    return datetime.now(UTC)


def sequence() -> sa.Column[int]:
    """Return the column that orders rows written within the same clock tick."""
    return sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True)


# The two pointers have no foreign key: the tables would have to refer to each other before both exist, and SQLite
# cannot add a constraint later. Readers check the pointers and raise ArtifactCorrupt if one dangles.
MARKET: Final = sa.Table(
    "market",
    METADATA,
    sa.Column("market_id", sa.String(80), primary_key=True),
    sa.Column("name", sa.String(200), nullable=False, unique=True),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("area_unit", sa.String(4), nullable=False),
    sa.Column("simulated", sa.Boolean, nullable=False),
    sa.Column("latest_version_id", sa.String(12)),
    sa.Column("champion_model_id", sa.String(12)),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.CheckConstraint("area_unit in ('sqft', 'sqm')", name="area_unit"),
)

DATA_VERSION: Final = sa.Table(
    "data_version",
    METADATA,
    sequence(),
    sa.Column("version_id", sa.String(12), nullable=False, unique=True),
    sa.Column("market_id", sa.ForeignKey("market.market_id"), nullable=False, index=True),
    sa.Column("parent_id", sa.ForeignKey("data_version.version_id")),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("ledger_sha256", sa.String(64), nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("rows_seen", sa.Integer, nullable=False),
    sa.Column("first_sale", sa.Date),
    sa.Column("last_sale", sa.Date),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    # Doubtful sales that wait beside the sales in use; no file where there are none.
    sa.Column("set_aside_sha256", sa.String(64)),
    sa.Column("set_aside", sa.Integer, nullable=False, server_default="0"),
    # The homes of the tax roll, sold or not; no file where no version of the chain had one.
    sa.Column("roll_sha256", sa.String(64)),
    # The market's dated indicators; no file where no version of the chain had any.
    sa.Column("indicators_sha256", sa.String(64)),
)

DATA_FILE: Final = sa.Table(
    "data_file",
    METADATA,
    sequence(),
    sa.Column("version_id", sa.ForeignKey("data_version.version_id"), nullable=False, index=True),
    sa.Column("file", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False, index=True),
    sa.Column("rows_in", sa.Integer, nullable=False),
    sa.Column("accepted", sa.Integer, nullable=False),
    sa.Column("repaired", sa.Integer, nullable=False),
    sa.Column("duplicate", sa.Integer, nullable=False),
    sa.Column("rejected", sa.Integer, nullable=False),
    sa.Column("reasons", sa.JSON, nullable=False),
    sa.Column("set_aside", sa.Integer, nullable=False, server_default="0"),
    # How the file was read, in words, and the column mapping in force; empty for files of earlier releases.
    sa.Column("reading", sa.Text),
    sa.Column("mapping", sa.JSON(none_as_null=True)),
    sa.CheckConstraint("accepted + repaired + duplicate + rejected + set_aside = rows_in", name="sums"),
)

MODEL: Final = sa.Table(
    "model",
    METADATA,
    sequence(),
    sa.Column("model_id", sa.String(12), nullable=False, unique=True),
    sa.Column("market_id", sa.ForeignKey("market.market_id"), nullable=False, index=True),
    sa.Column("version_id", sa.ForeignKey("data_version.version_id"), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("stage", sa.String(20), nullable=False),
    sa.Column("card", sa.JSON, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    # A rejected model keeps the stage it had: taking the rejection back empties these columns.
    sa.Column("rejected_at", UtcDateTime),
    sa.Column("rejected_by", sa.Text),
    sa.Column("rejected_why", sa.Text),
    sa.CheckConstraint("stage in ('candidate', 'challenger', 'champion', 'retired')", name="stage"),
)

PROMOTION: Final = sa.Table(
    "promotion",
    METADATA,
    sequence(),
    sa.Column("market_id", sa.ForeignKey("market.market_id"), nullable=False, index=True),
    sa.Column("kind", sa.Text, nullable=False),
    # No foreign key: the history must survive, and reveal, the loss of a model row.
    sa.Column("model_id", sa.String(12), nullable=False),
    sa.Column("replaced_model_id", sa.String(12)),
    # What a rollback gives back to the model it takes out of use; empty where an earlier release promoted it.
    sa.Column("stage_before", sa.String(20)),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.CheckConstraint("kind in ('promote', 'rollback')", name="kind"),
)

EVENT: Final = sa.Table(
    "event",
    METADATA,
    sa.Column("event_id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("market_id", sa.String(80), index=True),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("detail", sa.JSON, nullable=False),
    sa.Column("actor_id", sa.Text, nullable=False, server_default=""),
    sa.Index(None, "subject"),
    sa.Index(None, "market_id", "action"),
)

PRESET: Final = sa.Table(
    "preset",
    METADATA,
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("mapping_json", sa.Text, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("updated_by", sa.Text, nullable=False),
)

# Each index lets the database group a million estimates as it reads them, without sorting or touching the documents.
FIGURE_ORDERS: Final = {
    "day": (
        *("market_id", "day", "status", "latency_bin"),
        *("model_id", "office", "channel", "property_type", "area", "confidence", "flagged"),
    ),
    "office": (
        *("market_id", "office", "model_id", "channel", "status"),
        *("day", "property_type", "area", "confidence", "flagged"),
    ),
    "area": (
        *("market_id", "area", "property_type", "status"),
        *("day", "model_id", "office", "channel", "confidence", "flagged"),
    ),
}

# Models, data versions and levels have no foreign key: the ledger must survive, and reveal, the loss of their rows.
ESTIMATE: Final = sa.Table(
    "estimate",
    METADATA,
    sequence(),
    sa.Column("estimate_id", sa.String(16), nullable=False, unique=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("office", sa.Text, nullable=False),
    sa.Column("market_id", sa.ForeignKey("market.market_id"), nullable=False),
    sa.Column("model_id", sa.String(12)),
    sa.Column("version_id", sa.String(12)),
    sa.Column("level_id", sa.String(12)),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("channel", sa.String(20), nullable=False),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("property_key", sa.Text, nullable=False),
    sa.Column("property_type", sa.Text),
    sa.Column("area", sa.Text),
    sa.Column("facts", sa.JSON, nullable=False),
    sa.Column("answer", sa.JSON, nullable=False),
    sa.Column("point", sa.Float),
    sa.Column("low", sa.Float),
    sa.Column("high", sa.Float),
    sa.Column("level", sa.Float),
    sa.Column("confidence", sa.Float),
    sa.Column("fsd", sa.Float),
    sa.Column("flags", sa.JSON, nullable=False),
    sa.Column("latency_ms", sa.Float, nullable=False),
    sa.Column("list_price", sa.Float),
    sa.Column("currency", sa.String(3), nullable=False),
    # Monitoring groups by these; they derive from the columns above. The defaults only serve 0003 for earlier rows.
    sa.Column("day", sa.Date, nullable=False, server_default="1970-01-01"),
    sa.Column("latency_bin", sa.Integer, nullable=False, server_default="0"),
    sa.Column("flagged", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("actor_id", sa.Text, nullable=False, server_default=""),
    sa.Column("home_id", sa.String(16), nullable=False, server_default=""),
    sa.CheckConstraint("channel in ('page', 'file', 'command line', 'api')", name="channel"),
    sa.CheckConstraint("status in ('priced', 'unavailable', 'refused')", name="status"),
    sa.Index(None, "market_id", "at"),
    sa.Index(None, "market_id", "property_key"),
    *(sa.Index(f"ix_estimate_figures_{name}", *columns) for name, columns in FIGURE_ORDERS.items()),
)

DECISION: Final = sa.Table(
    "decision",
    METADATA,
    sequence(),
    sa.Column("decision_id", sa.String(16), nullable=False, unique=True),
    sa.Column("estimate_id", sa.ForeignKey("estimate.estimate_id"), nullable=False, index=True),
    sa.Column("market_id", sa.ForeignKey("market.market_id"), nullable=False, index=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("office", sa.Text, nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("price", sa.Float, nullable=False),
    sa.Column("listing_price", sa.Float),
    sa.Column("reason_code", sa.Text),
    sa.Column("note", sa.Text, nullable=False),
    sa.CheckConstraint("kind in ('accept', 'adjust', 'override')", name="kind"),
    sa.CheckConstraint("price > 0", name="price"),
)

# Decisions that do not stand: the one before it on the same estimate, if any, counts again.
DECISION_TAKEN_BACK: Final = sa.Table(
    "decision_taken_back",
    METADATA,
    sequence(),
    sa.Column("decision_id", sa.ForeignKey("decision.decision_id"), nullable=False, unique=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("office", sa.Text, nullable=False),
)

MARKET_LEVEL: Final = sa.Table(
    "market_level",
    METADATA,
    sequence(),
    sa.Column("level_id", sa.String(12), nullable=False, unique=True),
    sa.Column("market_id", sa.ForeignKey("market.market_id"), nullable=False),
    sa.Column("model_id", sa.ForeignKey("model.model_id"), nullable=False, index=True),
    sa.Column("version_id", sa.ForeignKey("data_version.version_id"), nullable=False),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("document", sa.JSON, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
)

DRAFT: Final = sa.Table(
    "draft",
    METADATA,
    sa.Column("actor_id", sa.String(200), primary_key=True),
    sa.Column("document", sa.JSON, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
)

# People's answers on near-match address pairs; the latest answer on a pair counts.
ADDRESS_MATCH: Final = sa.Table(
    "address_match",
    METADATA,
    sequence(),
    sa.Column("market_id", sa.String(80), nullable=False, index=True),
    sa.Column("sales_key", sa.Text, nullable=False),
    sa.Column("tax_key", sa.Text, nullable=False),
    sa.Column("same", sa.Boolean, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
)

# Decisions on doubtful sales, by the sale as it was brought; the latest on a sale counts.
SCRUTINY_DECISION: Final = sa.Table(
    "scrutiny_decision",
    METADATA,
    sequence(),
    sa.Column("market_id", sa.ForeignKey("market.market_id"), nullable=False, index=True),
    sa.Column("sale_key", sa.String(64), nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("value", sa.Float),
    sa.Column("doubt", sa.Text, nullable=False),
    sa.Column("waited", sa.Boolean, nullable=False),
    sa.Column("sale", sa.JSON, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.CheckConstraint("kind in ('keep', 'set_aside', 'correct', 'taken_back')", name="kind"),
    sa.CheckConstraint("(kind = 'correct') = (value is not null)", name="value"),
)

# Each outcome copies what its estimate is judged by, so that figures over a million rows need no join. A corrected
# price gives a new row, and the earlier one is no longer current. ``counted`` marks the one estimate that counts for
# a sale: the last one before the home was listed, else before it was sold.
OUTCOME: Final = sa.Table(
    "outcome",
    METADATA,
    sequence(),
    sa.Column("market_id", sa.ForeignKey("market.market_id"), nullable=False),
    sa.Column("estimate_id", sa.ForeignKey("estimate.estimate_id"), nullable=False, index=True),
    sa.Column("version_id", sa.String(12), nullable=False),
    sa.Column("sale_key", sa.Text, nullable=False),
    sa.Column("sale_date", sa.Date, nullable=False),
    sa.Column("sale_price", sa.Float, nullable=False),
    sa.Column("list_date", sa.Date),
    sa.Column("list_price", sa.Float),
    sa.Column("first_list_price", sa.Float),
    sa.Column("current", sa.Boolean, nullable=False),
    sa.Column("counted", sa.Boolean, nullable=False),
    sa.Column("blind", sa.Boolean, nullable=False),
    sa.Column("recorded_at", UtcDateTime, nullable=False),
    sa.Column("estimated_at", UtcDateTime, nullable=False),
    sa.Column("model_id", sa.String(12), nullable=False),
    sa.Column("office", sa.Text, nullable=False),
    sa.Column("channel", sa.String(20), nullable=False),
    sa.Column("property_type", sa.Text),
    sa.Column("area", sa.Text),
    sa.Column("point", sa.Float, nullable=False),
    sa.Column("low", sa.Float, nullable=False),
    sa.Column("high", sa.Float, nullable=False),
    sa.Column("level", sa.Float, nullable=False),
    sa.Column("confidence", sa.Float, nullable=False),
    # Derived from price and range: (point - sale_price) / sale_price, its bin, whether the range held the price.
    sa.Column("error", sa.Float, nullable=False),
    sa.Column("error_bin", sa.Integer, nullable=False),
    sa.Column("inside", sa.Boolean, nullable=False),
    sa.CheckConstraint("sale_price > 0", name="sale_price"),
    sa.Index(
        "ix_outcome_figures",
        *("market_id", "current", "counted", "blind", "sale_date", "error_bin", "error", "inside", "level"),
        *("confidence", "model_id", "office", "channel", "property_type", "area"),
    ),
    sa.Index(None, "market_id", "sale_key"),
)

# The data versions whose sales were matched with the ledger; one that is undone and uploaded again is matched again.
MATCHING: Final = sa.Table(
    "matching",
    METADATA,
    sa.Column("version_id", sa.String(12), primary_key=True),
    sa.Column("market_id", sa.ForeignKey("market.market_id"), nullable=False, index=True),
    sa.Column("at", UtcDateTime, nullable=False),
)

# A challenger's estimates, made alongside the champion's and shown to nobody.
SHADOW: Final = sa.Table(
    "shadow",
    METADATA,
    sequence(),
    sa.Column("estimate_id", sa.ForeignKey("estimate.estimate_id"), nullable=False, index=True),
    sa.Column("model_id", sa.String(12), nullable=False, index=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("point", sa.Float, nullable=False),
    sa.Column("low", sa.Float, nullable=False),
    sa.Column("high", sa.Float, nullable=False),
    sa.Column("confidence", sa.Float, nullable=False),
)

ALERT: Final = sa.Table(
    "alert",
    METADATA,
    sequence(),
    sa.Column("alert_id", sa.String(16), nullable=False, unique=True),
    sa.Column("market_id", sa.ForeignKey("market.market_id"), nullable=False),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("segment", sa.Text, nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("opened_at", UtcDateTime, nullable=False),
    sa.Column("changed_at", UtcDateTime, nullable=False),
    sa.Column("changed_by", sa.Text, nullable=False),
    sa.Column("document", sa.JSON, nullable=False),
    sa.CheckConstraint("state in ('open', 'acknowledged', 'resolved')", name="state"),
    sa.Index(None, "market_id", "state"),
)

# Thresholds a manager changed; the latest of a name counts. No row, or one without a value, means the problem
# statement's.
THRESHOLD: Final = sa.Table(
    "threshold",
    METADATA,
    sequence(),
    sa.Column("market_id", sa.ForeignKey("market.market_id"), nullable=False, index=True),
    sa.Column("name", sa.String(40), nullable=False),
    sa.Column("value", sa.Float),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
)
