"""The runs of a page's script, as the messages between a browser tab and its server tell of them."""

from __future__ import annotations

from enum import StrEnum

from playwright.sync_api import WebSocket
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

_STREAM = "/_stcore/stream"
_DONE = (
    ForwardMsg.ScriptFinishedStatus.FINISHED_SUCCESSFULLY,
    ForwardMsg.ScriptFinishedStatus.FINISHED_FRAGMENT_RUN_SUCCESSFULLY,
    ForwardMsg.ScriptFinishedStatus.FINISHED_WITH_COMPILE_ERROR,
)


class Run(StrEnum):
    """How far the newest run of the script is."""

    ASKED = "asked"
    BEGUN = "begun"
    ENDED = "ended"


class Runs:
    """Follows a tab's runs: a click asks for one, and only the server's messages say that it began and ended.

    What the page looks like does not say it: on a busy machine a click is answered long after the page looks idle.
    """

    def __init__(self) -> None:
        self.newest = Run.ENDED

    def follow(self, socket: WebSocket) -> None:
        """Follow a connection of the tab; a new connection begins by asking for a run."""
        if _STREAM in socket.url:
            self.newest = Run.ASKED
            socket.on("framesent", self._note_sent)
            socket.on("framereceived", self._note_received)

    def _note_sent(self, frame: bytes | str) -> None:
        if isinstance(frame, bytes) and BackMsg.FromString(frame).WhichOneof("type") == "rerun_script":
            self.newest = Run.ASKED

    def _note_received(self, frame: bytes | str) -> None:
        if not isinstance(frame, bytes):
            return
        message = ForwardMsg.FromString(frame)
        kind = message.WhichOneof("type")
        if kind == "new_session" and self.newest is Run.ASKED:
            self.newest = Run.BEGUN
        elif kind == "script_finished" and self.newest is Run.BEGUN and message.script_finished in _DONE:
            self.newest = Run.ENDED
