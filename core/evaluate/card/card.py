"""The model card: the evaluation of a model as one Markdown document to download, print and sign."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from core.evaluate.agent_decisions import AgentDecisions
from core.evaluate.behavior.overfitting import FitCheck
from core.evaluate.card.blocks import Block, Curve, Points, Section, Signature, Table, Words
from core.evaluate.card.document import SHORT, CardSubject, identity, sections, title_of
from core.evaluate.evaluation_report import EvaluationReport

__all__ = ["CardSubject", "model_card"]

# Characters with which a name from a file could become a link, a table cell or other markup.
_MARKUP: Final = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_[]|<>~$"} | {"\n": " ", "\r": " "})


def model_card(
    subject: CardSubject, report: EvaluationReport, fit: FitCheck | None, agent_decisions: AgentDecisions | None = None
) -> str:
    """Return the card as Markdown; every table has a title, and names from files are escaped."""
    head = [f"# {_safe(title_of(subject))}", "", *_block(Points(identity(subject, report)))]
    parts = [head, *(_section(one) for one in sections(subject, report, fit, agent_decisions, SHORT))]
    return "\n\n".join("\n".join(part).strip("\n") for part in parts) + "\n"


def _section(section: Section) -> Iterator[str]:
    yield f"## {section.title}"
    for block in section.blocks:
        yield ""
        yield from _block(block)


def _block(block: Block) -> Iterator[str]:
    match block:
        case Words(text):
            yield _safe(text)
        case Points(items):
            yield from (f"- {_safe(item)}" for item in items)
        case Signature(decision):
            yield f"Signed: {_safe(decision)}" if decision else "Not signed yet."
        case Table():
            if block.title:
                yield f"### {_safe(block.title)}"
                yield ""
            yield from _table(block.head, block.rows)
        case Curve():
            # Its figures are in the table that follows.
            return


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(_safe(str(cell)) for cell in row)} |"


def _safe(text: str) -> str:
    return text.translate(_MARKUP)
