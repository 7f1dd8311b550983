"""The Dask cluster that long work may run on: connected to for one piece of work, and only with equal workers."""

from __future__ import annotations

import importlib.util
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from joblib import parallel_config

from core.errors import ClusterUnreachable, DoorstepError, WorkersDiffer, WrongUsage
from core.installation import code_fingerprint

if TYPE_CHECKING:
    from distributed import Client

SCHEDULER: Final = "DOORSTEP_SCHEDULER"
"""The setting that names the scheduler's address, such as tcp://10.0.0.5:8786."""

_ADDRESS: Final = re.compile(r"(tcp|tls)://(\[[0-9a-fA-F:]+\]|[\w.-]+):(\d{1,5})")
_PORTS: Final = 65_535
_SECONDS: Final = 10
_AGAIN_SECONDS: Final = 0.1
_RUNNING: Final = "running"
_MISSING: Final = f"{SCHEDULER} is set, but Dask is not installed. Install the extra: pip install 'doorstep[dask]'."


def scheduler_address(environment: Mapping[str, str]) -> str:
    """Return the scheduler's address, empty if none is set; raises WrongUsage for one that makes no sense."""
    address = environment.get(SCHEDULER, "").strip()
    match = _ADDRESS.fullmatch(address)
    if address and not (match and 0 < int(match[3]) <= _PORTS):
        raise WrongUsage(f"{SCHEDULER} = {address!r} is no address of a scheduler; write tcp://HOST:PORT.")
    return address


def check_scheduler(environment: Mapping[str, str]) -> None:
    """Raise WrongUsage if the scheduler's address makes no sense, or Dask is not installed; connects to nothing."""
    if scheduler_address(environment) and importlib.util.find_spec("distributed") is None:
        raise WrongUsage(_MISSING)


@contextmanager
def on_cluster() -> Iterator[None]:
    """Run the calls of ``in_parallel`` on the cluster that DOORSTEP_SCHEDULER names, on this machine without one.

    Raises WrongUsage, ClusterUnreachable, and WorkersDiffer for workers that would compute something else.
    """
    address = scheduler_address(os.environ)
    if not address:
        yield
        return
    with _checked_client(address) as client, parallel_config(backend="dask", client=client):
        try:
            yield
        except DoorstepError:
            raise
        except Exception as error:
            # Libraries that call joblib themselves meet a lost cluster in many ways.
            if client.status == _RUNNING and not _has_no_worker(client):
                raise
            raise ClusterUnreachable(_lost(client)) from error


def workers_of_cluster(environment: Mapping[str, str]) -> int | None:
    """Return how many workers, all with this very code, the cluster has; None where no scheduler is set.

    Raises WrongUsage, ClusterUnreachable and WorkersDiffer as ``on_cluster`` does.
    """
    address = scheduler_address(environment)
    if not address:
        return None
    with _checked_client(address) as client:
        return len(_codes_of_workers(client))


@contextmanager
def _checked_client(address: str) -> Iterator[Client]:
    client = _connect(address)
    try:
        _check_code_of_scheduler(client)
        _wait_for_worker(client)
        check_workers(client)
        yield client
    finally:
        client.close()  # type: ignore[no-untyped-call]


@contextmanager
def on_the_cluster_of(client: Client, shared: tuple[Any, ...]) -> Iterator[None]:
    """Send the shared objects to every worker, and run joblib's calls there; the workers are checked anew."""
    from distributed.client import FutureCancelledError  # noqa: PLC0415 - only with the extra
    from distributed.scheduler import KilledWorker  # noqa: PLC0415 - only with the extra

    check_workers(client)
    try:
        with parallel_config(backend="dask", client=client, scatter=list(shared)):
            yield
    except (OSError, FutureCancelledError) as error:
        raise ClusterUnreachable(_lost(client)) from error
    except KilledWorker as error:
        raise ClusterUnreachable(
            f"One call ended {error.last_worker.address if error.last_worker else 'several workers'} and others before "
            "it, probably for lack of memory. Give workers more memory, or fewer threads each."
        ) from error


def cluster_of(backend: Any) -> Client | None:
    """Return the client of Dask's backend of joblib, None for any other backend."""
    found: Client | None = getattr(backend, "client", None)
    return found


def check_workers(client: Client) -> None:
    """Raise WorkersDiffer unless every worker runs this very code with these libraries."""
    found = _codes_of_workers(client)
    if not found:
        raise ClusterUnreachable(_without_workers(client))
    own = code_fingerprint()
    if others := sorted(worker for worker, code in found.items() if code != own):
        code = found[others[0]]
        what = (
            f"has no Doorstep it can run: {code}" if isinstance(code, Exception) else f"has {code}, this process {own}"
        )
        raise WorkersDiffer(
            f"{len(others)} of {len(found)} workers of the cluster run another version of Doorstep, of Python or of a "
            f"library: {', '.join(others[:3])} ({what}). Install the same version on every worker, and start them "
            "again; nothing was computed."
        )


def _codes_of_workers(client: Client) -> dict[str, Any]:
    """Return what each living worker says of its code, once the scheduler has struck off those that have just died.

    It would hand them the objects that calls share, and lose these.
    """
    end = time.monotonic() + _SECONDS
    while True:
        try:
            found: dict[str, Any] = client.run(code_fingerprint, on_error="return")
        except OSError as error:
            raise ClusterUnreachable(_lost(client)) from error
        living = {worker: code for worker, code in found.items() if not isinstance(code, OSError)}
        if len(living) == len(found) or time.monotonic() > end:
            return living
        time.sleep(_AGAIN_SECONDS)


def _connect(address: str) -> Client:
    try:
        from distributed import Client  # noqa: PLC0415 - only with the extra
        from distributed.security import Security  # noqa: PLC0415
    except ImportError as error:
        raise WrongUsage(_MISSING) from error
    certified = Security().get_connection_args("client").get("ssl_context")  # type: ignore[no-untyped-call]
    if address.startswith("tls:") and certified is None:
        raise WrongUsage(
            f"{SCHEDULER} = {address!r} asks for TLS, and Dask knows no certificates. Name them in Dask's settings "
            "(distributed.comm.tls.ca-file, client.cert and client.key), or write tcp://HOST:PORT."
        )
    try:
        return Client(address, timeout=_SECONDS, set_as_default=False)  # type: ignore[no-untyped-call]
    except OSError as error:
        raise ClusterUnreachable(
            f"The scheduler at {address} did not answer within {_SECONDS} seconds. Start it (dask scheduler), or unset "
            f"{SCHEDULER} to work on this machine."
        ) from error


def _check_code_of_scheduler(client: Client) -> None:
    """Raise WorkersDiffer unless the scheduler, which unpacks the calls too, runs this very code.

    Without it a call would wait without end: the scheduler drops what it cannot unpack, and says so in its log alone.
    """
    own = code_fingerprint()
    try:
        code = client.run_on_scheduler(code_fingerprint)  # type: ignore[no-untyped-call]
    except OSError as error:
        raise ClusterUnreachable(_lost(client)) from error
    except (ImportError, AttributeError) as error:
        raise WorkersDiffer(_differing_scheduler(client, f"has no Doorstep it can run: {error}")) from error
    if code != own:
        raise WorkersDiffer(_differing_scheduler(client, f"has {code}, this process {own}"))


def _differing_scheduler(client: Client, what: str) -> str:
    return (
        f"The scheduler at {_address(client)} runs another version of Doorstep, of Python or of a library: it {what}. "
        "Install the same version where the scheduler runs, name its folder in PYTHONPATH, and start it again; nothing "
        "was computed."
    )


def _wait_for_worker(client: Client) -> None:
    """Wait until the cluster has a worker: one that is about to start takes a few seconds."""
    try:
        client.wait_for_workers(1, timeout=_SECONDS)
    except TimeoutError as error:
        raise ClusterUnreachable(_without_workers(client)) from error


def _without_workers(client: Client) -> str:
    address = _address(client)
    return f"The cluster at {address} has no worker. Start some: dask worker {address}."


def _address(client: Client) -> str:
    return str(client.scheduler.address) if client.scheduler else "an unknown address"


def _lost(client: Client) -> str:
    address, kept = _address(client), "Nothing was kept of this work; start it again."
    if _has_no_worker(client):
        return f"All workers of the cluster at {address} ended. Start some: dask worker {address}. {kept}"
    return f"The cluster at {address} went away. {kept}"


def _has_no_worker(client: Client) -> bool:
    """Tell whether the scheduler answers, and has no worker."""
    if client.status != _RUNNING:
        return False
    try:
        return not client.nthreads()  # type: ignore[no-untyped-call]
    except OSError:
        return False
