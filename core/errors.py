"""All of Doorstep's errors, in one family: each message names the thing, the value, the limit and the remedy."""

from __future__ import annotations


class DoorstepError(Exception):
    """Base of all errors a user may see; ``str(error)`` is one readable line without a traceback."""


class WrongUsage(DoorstepError):
    """The options of a command contradict one another, or one would have no effect; nothing was done."""


class ProblemStatementError(DoorstepError):
    """The problem statement (assets/problem.toml) has a missing, unknown or impossible setting."""


class AccessDenied(DoorstepError):
    """The actor's role does not allow the action."""


class SignInEnded(DoorstepError):
    """A sign-in is over: somebody signed out of it, was away too long, or signed in too long ago."""


class NotInPilot(AccessDenied):
    """Estimates are being rolled out by office, and the actor's office does not have them yet."""


class JobCancelled(DoorstepError):
    """A person cancelled a long job; its unfinished work was discarded."""


class CollectError(DoorstepError):
    """Base of all errors of data collection."""


class FileUnreadable(CollectError):
    """The file is missing, binary, in an unknown encoding or not delimited text."""


class FileEmpty(CollectError):
    """The file has no header, or a header but no rows."""


class FileTooLarge(CollectError):
    """The file exceeds the upload limit of the problem statement."""


class DuplicateHeaders(CollectError):
    """Two columns of the file have the same name, so a mapping could not tell them apart."""


class MappingError(CollectError):
    """A column mapping names an unknown column, field or unit, or leaves out a required field."""


class PriceGivenAway(CollectError):
    """A column reveals the sale price, so that a model would learn the answer.

    ``reason`` says which and why, ``remedy`` what helps on the pages; together they are the message. At an import,
    ``columns`` names each file and column; at a training, ``fact`` is the canonical name of the fact, "" at an import.
    """

    def __init__(
        self, reason: str, remedy: str = "", columns: tuple[tuple[str, str], ...] = (), fact: str = ""
    ) -> None:
        super().__init__(f"{reason} {remedy}".strip())
        self.reason, self.remedy, self.columns, self.fact = reason, remedy, columns, fact


class SalesElsewhere(CollectError):
    """Hardly any sale of a file is where the market has sales, so that it may belong to another market."""


class FileMisread(CollectError):
    """A file seems to be read wrongly, so that a person must look before it is taken in."""


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
    """A stored model was made by another release whose models this one cannot read."""


class ServeError(DoorstepError):
    """Base of all errors of estimation."""


class ImpossibleProperty(ServeError):
    """A fact of the subject is impossible (negative area, 1000 bedrooms) or unknown; nothing was estimated.

    ``reason`` says why and ``remedy`` what helps; together they are the message. ``field`` names the impossible fact.
    """

    def __init__(self, reason: str, remedy: str = "", field: str = "") -> None:
        super().__init__(f"{reason} {remedy}".strip())
        self.reason, self.remedy, self.field = reason, remedy, field


class InvalidDecision(ServeError):
    """A decision on an estimate breaks a rule of the problem statement; nothing was recorded.

    ``field`` names what must change: kind, price, listing_price, reason_code or note.
    """

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class InvalidSale(ServeError):
    """What a listing is reported to have sold for, or when, is impossible; nothing was recorded.

    ``field`` names what must change: sale_price, sale_date or list_date.
    """

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


class InvalidFeedback(ServeError):
    """Feedback on an estimate is too long, or is about a price that there is none of; nothing was recorded.

    ``field`` names what must change: verdict or note.
    """

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


class AnswerUnreadable(ServeError):
    """A stored answer was written by a release whose answers this one cannot read."""


class FileNotWritten(DoorstepError):
    """A file cannot be written to the requested place."""


class MonitorError(DoorstepError):
    """Base of all errors of monitoring."""


class ReasonNeeded(MonitorError):
    """A deed that needs a reason was asked for without one, or with one that is too short; nothing was changed."""


class InvalidThreshold(MonitorError):
    """An alert threshold lies outside its meaningful bounds; nothing was changed."""


class MessageNotSent(MonitorError):
    """A webhook or mail server did not accept a message; it waits and is sent again."""


class ClusterError(DoorstepError):
    """Base of all errors of the cluster that long work runs on."""


class ClusterUnreachable(ClusterError):
    """The scheduler or its workers did not answer, or went away; unfinished work was discarded."""


class WorkersDiffer(ClusterError):
    """Workers of the cluster run other code or libraries than this process, so they might compute something else."""


class StoreError(DoorstepError):
    """Base of all errors of the store."""


class NotFound(StoreError):
    """The named market, data version, model or preset is not in the store."""


class AlreadyExists(StoreError):
    """A market or preset of that name is already in the store."""


class ArtifactCorrupt(StoreError):
    """A snapshot or model file does not match the hash it was stored under, so it was not loaded."""


class ModelNotSigned(ArtifactCorrupt):
    """A model file has no valid signature of a key this server accepts, so it was not loaded."""


class StoreUnavailable(StoreError):
    """The database or the artifact folder cannot be written or read (disk full, locked, no permission).

    ``detail`` has what only those who run Doorstep may read: the address of the database, and its driver's words.
    """

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail


class ArtifactStoreAway(StoreUnavailable):
    """The artifacts that several servers share cannot be reached; this server has no copy, and nothing was changed."""


class StaleVersion(StoreError):
    """A data version was meant to follow or undo one that is no longer the market's latest."""


class InvalidRecord(StoreError):
    """A value given to the store is outside what its table allows, so nothing was written."""


def in_full(error: Exception) -> str:
    """Return an error's message with its detail, for logs and for the command line."""
    detail = getattr(error, "detail", "")
    return f"{error} ({detail})" if detail else str(error)
