"""Every refusal Doorstep can make, as one family: each message names the thing, the value, the limit and the remedy."""

from __future__ import annotations


class DoorstepError(Exception):
    """Base of all errors a user may see; ``str(error)`` is one readable line without a traceback."""


class ProblemStatementError(DoorstepError):
    """The problem statement (assets/problem.toml) has a missing, unknown or impossible setting."""


class AccessDenied(DoorstepError):
    """The actor's role does not allow the action."""


class JobCancelled(DoorstepError):
    """A long job was cancelled by a person; nothing it had begun was kept."""


class CollectError(DoorstepError):
    """Base of all errors of data collection."""


class FileUnreadable(CollectError):
    """The file is missing, binary, in an unknown encoding or not delimited text."""


class FileEmpty(CollectError):
    """The file has no header, or a header and no rows."""


class FileTooLarge(CollectError):
    """The file exceeds the upload limit of the problem statement."""


class DuplicateHeaders(CollectError):
    """Two columns of the file carry the same name, so a mapping could not tell them apart."""


class MappingError(CollectError):
    """A column mapping names an unknown column, field or unit, or leaves out a required field."""


class PriceGivenAway(CollectError):
    """A column gives the sale price away, so that a model would learn the answer."""


class PrepareError(DoorstepError):
    """Base of all errors of data preparation."""


class NoUsableRows(PrepareError):
    """Every row of an upload was rejected, so there is nothing to commit."""


class ContractBroken(PrepareError):
    """A cleaned table still breaks a rule of the canonical record, so it was not committed."""


class TooFewSales(PrepareError):
    """The data version holds fewer sales than training, a split or a calibration needs."""


class TrainError(DoorstepError):
    """Base of all errors of training."""


class ModelOutdated(TrainError):
    """A stored model was made by an earlier release whose models this one cannot read."""


class ServeError(DoorstepError):
    """Base of all errors of estimation."""


class ImpossibleProperty(ServeError):
    """A fact of the subject property is impossible (negative area, 1000 bedrooms); nothing was estimated.

    ``reason`` says why and ``remedy`` what helps; together they are the message. ``field`` names the fact refused.
    """

    def __init__(self, reason: str, remedy: str = "", field: str = "") -> None:
        super().__init__(f"{reason} {remedy}".strip())
        self.reason, self.remedy, self.field = reason, remedy, field


class InvalidDecision(ServeError):
    """A decision on an estimate breaks a rule of the problem statement; nothing was recorded.

    ``field`` names what has to change: kind, price, listing_price, reason_code or note.
    """

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class AnswerUnreadable(ServeError):
    """A stored answer was written by a release whose answers this one cannot read."""


class FileNotWritten(DoorstepError):
    """A file asked for cannot be written where it was asked for."""


class MonitorError(DoorstepError):
    """Base of all errors of monitoring."""


class ReasonNeeded(MonitorError):
    """A promotion the gate does not speak for was asked for without a reason long enough; nothing was changed."""


class InvalidThreshold(MonitorError):
    """An alert threshold lies outside the bounds within which it means anything; nothing was changed."""


class MessageNotSent(MonitorError):
    """A webhook or mail server did not take a message; it waits and is sent again."""


class StoreError(DoorstepError):
    """Base of all errors of the store."""


class NotFound(StoreError):
    """The named market, data version, model or preset is not in the store."""


class AlreadyExists(StoreError):
    """A market or preset of that name is already in the store."""


class ArtifactCorrupt(StoreError):
    """A snapshot or model file does not match the hash it was stored under, so it was not loaded."""


class StoreUnavailable(StoreError):
    """The database or the artifact folder cannot be written or read (disk full, locked, no permission)."""


class StaleVersion(StoreError):
    """A data version was to follow, or undo, one that is no longer the market's latest."""


class InvalidRecord(StoreError):
    """A value handed to the store is outside what its table allows, so nothing was written."""
