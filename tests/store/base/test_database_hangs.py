"""A PostgreSQL that hangs: one call waits, those after it fail at once, and one looks again after a rest."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
import sqlalchemy as sa

from core.errors import ArtifactStoreAway, NotFound, StoreUnavailable
from core.store.base.database import Database, parse_url
from core.store.connections.breaker import Breaker
from tests.postgresql import server_url


@contextmanager
def mute_server() -> Iterator[str]:
    """A server that accepts connections and never answers; its address as a database."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        # libpq waits for two seconds at the least.
        yield f"postgresql://kim@127.0.0.1:{server.getsockname()[1]}/prices?connect_timeout=2"


def seconds_of(database: Database) -> float:
    start = time.monotonic()
    with pytest.raises(StoreUnavailable, match="check that it is running and reachable"), database.read():
        raise AssertionError("it answered")
    return time.monotonic() - start


def test_after_one_wait_the_next_calls_fail_at_once_and_a_write_does_too() -> None:
    with mute_server() as url:
        database = Database(parse_url(url))
        assert seconds_of(database) > 1.0
        # One that asked the server again would wait for libpq's two seconds.
        assert max(seconds_of(database) for _ in range(50)) < 2
        with pytest.raises(StoreUnavailable), database.write():
            raise AssertionError("it answered")
        database.close()


class Calls:
    """Calls of a database that is away or back, through a breaker."""

    def __init__(self) -> None:
        self.breaker = Breaker(rest_seconds=0.2, slow_seconds=0.0)
        self.away, self.made = True, 0

    def call(self) -> bool:
        """Tell whether the call was answered."""
        with suppress(StoreUnavailable), self.breaker.guarded():
            self.made += 1
            if self.away:
                raise StoreUnavailable("It hangs.", "db.internal") from sa.exc.TimeoutError("no connection is free")
            return True
        return False


def test_one_call_looks_again_after_the_rest_and_when_the_database_is_back_all_are_made() -> None:
    calls = Calls()
    assert [calls.call() for _ in range(5)] == [False] * 5
    assert calls.made == 1
    time.sleep(0.21)
    assert [calls.call() for _ in range(5)] == [False] * 5
    assert calls.made == 2, "after the rest one looks, in vain"
    time.sleep(0.21)
    calls.away = False
    assert [calls.call() for _ in range(5)] == [True] * 5


def test_while_one_looks_the_others_do_not_wait() -> None:
    calls = Calls()
    calls.call()
    time.sleep(0.21)
    looks, may_end = threading.Event(), threading.Event()

    def look() -> None:
        with calls.breaker.guarded():
            looks.set()
            may_end.wait(5)

    looking = threading.Thread(target=look)
    looking.start()
    assert looks.wait(5)
    calls.away = False
    assert not calls.call()
    may_end.set()
    looking.join()
    assert calls.call()


def test_a_quick_failure_and_a_finding_of_the_store_hold_nobody_back() -> None:
    calls = Calls()
    calls.breaker = Breaker(slow_seconds=1.0)
    assert [calls.call() for _ in range(3)] == [False] * 3
    assert calls.made == 3
    with pytest.raises(NotFound), calls.breaker.guarded():
        raise NotFound("There is none.")
    calls.breaker = Breaker(slow_seconds=0.0)
    with pytest.raises(ArtifactStoreAway), calls.breaker.guarded():
        raise ArtifactStoreAway("The bucket is away, and not the database.") from TimeoutError()
    calls.away = False
    assert calls.call()


class Relay:
    """Passes on between a client and a server until it is told to swallow everything."""

    def __init__(self, target: str) -> None:
        self._target, self.swallows = target, threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._server.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._target)
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=self._pass, args=pair, daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                if not self.swallows.is_set():
                    sink.sendall(data)


def test_an_open_connection_that_no_longer_answers_is_given_up(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.store.connections.patient_ping.PING_SECONDS", 0.3)
    server = parse_url(server_url(tmp_path_factory))
    folder, port = str(server.query.get("host", server.host)), server.port or server.query.get("port") or 5432
    if not folder.startswith("/"):
        pytest.skip("the server named by TEST_DATABASE_URL has no socket file to relay to")
    relay = Relay(f"{folder}/.s.PGSQL.{port}")
    through = server.set(host="127.0.0.1", port=relay.port, query={"connect_timeout": "2"})
    database = Database(through)
    try:
        for _ in range(2):
            with database.read() as connection:
                assert connection.scalar(sa.text("select 1")) == 1
        relay.swallows.set()
        assert seconds_of(database) < 4.0
        assert seconds_of(database) < 0.5
    finally:
        relay.close()
        database.close()
