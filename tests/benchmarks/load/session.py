"""A browser session without a browser: Streamlit's websocket, and what an agent types into the page."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

_PROTOCOL: Final = "streamlit"
_RANGE: Final = re.compile(r"\d.* to .*\d")


@dataclass
class Session:
    """One tab on the page “Price a home”: what it shows, and what was entered."""

    address: str
    socket: ClientConnection
    widgets: dict[str, str] = field(default_factory=dict)
    texts: set[str] = field(default_factory=set)
    button: str = ""
    entered: dict[str, WidgetState] = field(default_factory=dict)
    page: str = ""
    shown_range: str = ""
    errors: list[str] = field(default_factory=list)

    async def load(self) -> None:
        """Open the page."""
        await self._run(ClientState(page_name="pricing", query_string="role=agent"))

    def enter(self, label: str, value: float | str) -> None:
        """Type a number or choose an option in the field whose label starts so."""
        widget = next((one for name, one in self.widgets.items() if name.startswith(label)), None)
        if widget is None:
            raise LookupError(f"no field {label!r} among {sorted(self.widgets)}")
        state = WidgetState(id=widget)
        if isinstance(value, str) or widget in self.texts:
            state.string_value = str(value)
        else:
            state.double_value = value
        self.entered[widget] = state

    async def choose(self, label: str, value: str) -> None:
        """Choose an option outside the form, which draws the page anew."""
        self.enter(label, value)
        await self._run(self._state())

    async def press(self) -> str:
        """Press “Price this home”; return the range that is shown then, "" if none came."""
        self.shown_range = ""
        state = self._state()
        state.widget_states.widgets.add(id=self.button, trigger_value=True)
        await self._run(state)
        return self.shown_range

    def _state(self) -> ClientState:
        state = ClientState(page_script_hash=self.page, query_string="role=agent")
        state.widget_states.widgets.extend(self.entered.values())
        return state

    async def _run(self, state: ClientState) -> None:
        """Ask for a run of the page and read until the server says that it is done."""
        await self.socket.send(BackMsg(rerun_script=state).SerializeToString())
        async for raw in self.socket:
            message = ForwardMsg()
            message.ParseFromString(raw if isinstance(raw, bytes) else raw.encode())
            match message.WhichOneof("type"):
                case "navigation":
                    self.page = message.navigation.page_script_hash
                case "delta":
                    self._note(message)
                case "script_finished":
                    if message.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                        continue
                    if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                        self.errors.append("the page does not compile")
                    return
        self.errors.append("the connection was closed")

    def _note(self, message: ForwardMsg) -> None:
        if message.delta.WhichOneof("type") != "new_element":
            return
        element = message.delta.new_element
        kind = element.WhichOneof("type")
        made: Any = getattr(element, kind or "empty")
        match kind:
            case "number_input" | "selectbox" | "text_input" | "date_input":
                self.widgets[made.label] = made.id
                if kind == "text_input":
                    self.texts.add(made.id)
            case "button" if made.label == "Price this home":
                self.button = made.id
            case "heading" if _RANGE.search(made.body):
                self.shown_range = made.body
            case "exception":
                self.errors.append(made.message)
            case _:
                pass


async def open_session(url: str, cookie: str = "") -> Session:
    """Connect to a server at its http address."""
    address = url.replace("http", "ws", 1) + "/_stcore/stream"
    headers = {"Cookie": cookie} if cookie else {}
    socket = await connect(
        address,
        origin=Origin(url),
        subprotocols=[Subprotocol(_PROTOCOL)],
        additional_headers=headers,
        max_size=None,
        open_timeout=60,
    )
    return Session(address, socket)
