"""The head of the seller's report: the agent with their photo on the left, the office with its logo on the right."""

from __future__ import annotations

from io import BytesIO
from typing import Final

from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.utils import ImageReader
from reportlab.platypus import Flowable, Paragraph, Spacer, Table

from core.serve.report.frame import AgentOnReport, OfficeOnReport, ReportFrame
from core.serve.report.typography import BODY, BOLD, INK, SMALL, TEAL, TINT, markup

_PHOTO: Final = 64.0
_LOGO: Final = (160.0, 44.0)
_NAME: Final = ParagraphStyle("name", parent=SMALL, fontName=BOLD, fontSize=13, leading=16, textColor=INK)
_SMALL: Final = ParagraphStyle("person", parent=SMALL, fontSize=9, leading=12)
_RIGHT_NAME: Final = ParagraphStyle("office", parent=_NAME, fontSize=11, leading=14, alignment=TA_RIGHT)
_RIGHT: Final = ParagraphStyle("right", parent=_SMALL, alignment=TA_RIGHT)
_CONTACT: Final = ParagraphStyle("contact", parent=BODY, fontSize=10, leading=14)
_LINE_MAX: Final = 180


class Picture(Flowable):
    """A picture of at most the size given, in its own shape; ``is_round`` cuts a square one to a disk."""

    def __init__(
        self, content: bytes, wide: float, high: float, *, is_round: bool = False, align: str = "LEFT"
    ) -> None:
        super().__init__()
        self._picture = ImageReader(BytesIO(content))
        across, up = self._picture.getSize()
        scale = min(wide / across, high / up)
        self.width, self.height = across * scale, up * scale
        self.hAlign = align
        self._is_round = is_round

    def wrap(self, *_: float) -> tuple[float, float]:
        """Return the size of the picture, whatever room there is."""
        return self.width, self.height

    def draw(self) -> None:
        """Draw the picture."""
        canvas = self.canv
        canvas.saveState()
        if self._is_round:
            disk = canvas.beginPath()
            disk.circle(self.width / 2, self.height / 2, min(self.width, self.height) / 2)
            canvas.clipPath(disk, stroke=0, fill=0)
        canvas.drawImage(self._picture, 0, 0, self.width, self.height, mask="auto")
        canvas.restoreState()


def letterhead(frame: ReportFrame, wide: float) -> list[Flowable]:
    """Return who made the report; nothing where neither an agent nor an office is known."""
    agent, office = _agent(frame.agent), _office(frame.office)
    if not agent and not office:
        return []
    photo = [Picture(frame.agent.photo, _PHOTO, _PHOTO, is_round=True)] if frame.agent.photo else []
    first = _PHOTO + 14 if photo else 0.0
    rest = wide - first
    columns = [first, 0.5 * rest, 0.5 * rest]
    style = [
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("ALIGN", (2, 0), (2, 0), "RIGHT"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 0),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 10),
        ("LINEBELOW", (0, 0), (-1, -1), 1.2, TEAL),
    ]
    return [Table([[photo, agent, office]], columns, style=style), Spacer(0, 12)]


def contact(frame: ReportFrame, wide: float) -> list[Flowable]:
    """Return whom to ask about the report; nothing where no person or office is named."""
    agent, office = frame.agent, frame.office
    lines = [_joined(agent.name, agent.phone), _joined(office.name, office.phone, office.address)]
    known = [line for line in lines if line]
    if not known:
        return []
    cell = [Paragraph("Questions about this price?", _NAME), Spacer(0, 3)]
    cell += [Paragraph(markup(line, _LINE_MAX), _CONTACT) for line in known]
    style = [
        ("BACKGROUND", (0, 0), (-1, -1), TINT),
        ("LEFTPADDING", (0, 0), (-1, -1), 16),
        ("RIGHTPADDING", (0, 0), (-1, -1), 14),
        ("TOPPADDING", (0, 0), (-1, -1), 10),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 12),
    ]
    return [Spacer(0, 14), Table([[cell]], [wide], style=style, cornerRadii=[6, 6, 6, 6])]


def _joined(*parts: str) -> str:
    return " · ".join(part.strip() for part in parts if part.strip())


def _agent(agent: AgentOnReport) -> list[Flowable]:
    lines = [agent.phone, f"License {agent.license_number}" if agent.license_number.strip() else ""]
    name = [Paragraph(markup(agent.name), _NAME)] if agent.name.strip() else []
    return [*name, *(Paragraph(markup(line, _LINE_MAX), _SMALL) for line in lines if line.strip())]


def _office(office: OfficeOnReport) -> list[Flowable]:
    logo = [Picture(office.logo, *_LOGO, align="RIGHT"), Spacer(0, 3)] if office.logo else []
    name = [Paragraph(markup(office.name), _RIGHT_NAME)] if office.name.strip() else []
    lines = [Paragraph(markup(line, _LINE_MAX), _RIGHT) for line in (office.address, office.phone) if line.strip()]
    return [*logo, *name, *lines]
