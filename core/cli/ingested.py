"""What an import did, as JSON values and as lines of text."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.session import command

if TYPE_CHECKING:
    import argparse

    from core.accounting import FileAccounting, FileIntake
    from core.collect.mapping import ColumnMapping
    from core.store import Store
    from core.workflows.data.intake import IntakePreview, IntakeReport
    from core.workflows.data.market_of_files import NewMarket


def assumed_words(
    market: str | NewMarket, mappings: Collection[ColumnMapping | None], options: argparse.Namespace
) -> str:
    """Say what a new market takes for granted: the unit of its areas, where neither files nor options name it."""
    from core.wording import area_label
    from core.workflows.source_files.mapped_files import headers_name_unit

    if isinstance(market, str) or options.area_unit is not None or headers_name_unit(mappings):
        return ""
    return f"areas taken as {area_label(market.area_unit)}: give --area-unit if that is wrong"


def ingest_document(report: IntakeReport, assumed: str, home: Path | None) -> dict[str, Any]:
    """Return what an import did as JSON values; ``assumed`` is what assumed_words says, ``home`` the store as given."""
    from core.collect.privacy.findings import reason
    from core.workflows.data.effect_words import why_nothing_new

    preview = report.preview
    return {
        "market": report.version.market_id,
        "changed": report.changed,
        "unchanged_because": "" if report.changed else why_nothing_new(preview.files, preview.held_sales),
        "version": report.version.version_id,
        "sales": report.version.rows,
        "new_sales": preview.new_sales,
        "corrected_sales": preview.corrected_sales,
        "files": [asdict(account) for account in preview.files],
        "readings": {name: asdict(reading) for name, reading in preview.readings.items()},
        "mappings": {one.file: dict(one.mapping) for one in preview.intake},
        "matched": dict(preview.matched),
        "conflicts": len(preview.conflicts),
        "unreadable_cells": len(preview.problems),
        "filled_in": {"sales": preview.area_fill.sales, "by_fact": dict(preview.area_fill.by_fact)},
        "without_neighborhood_figures": preview.area_fill.without,
        "gained": dict(preview.gained),
        "completed_sales": preview.completed,
        "homes_kept": asdict(preview.homes.news),
        "back_in_use": preview.back_in_use,
        "notes": list(preview.fill_words),
        "indicators": preview.brought,
        "elsewhere": " ".join(preview.elsewhere.values()),
        "assumed": assumed,
        "undo": _undo(report, home),
        "inferences": [{"file": table.name, **asdict(one)} for table in preview.tables for one in table.inferences],
        "taken_out": {
            file: [asdict(one) | {"reason": reason(one)} for one in found] for file, found in preview.personal.items()
        },
    }


def is_rejected(report: IntakeReport) -> bool:
    """Tell whether nothing changed and a file of sales was rejected whole: whoever runs this by a script must know."""
    from core.schema import Source

    sales = [one for one in report.preview.files if one.source == Source.SALES]
    return not report.changed and any(one.rows_in and one.rejected == one.rows_in for one in sales)


def ingest_text(store: Store, report: IntakeReport, assumed: str, home: Path | None) -> str:
    """Return what an import did as lines of text, what to do next last, or how to undo it where there is a doubt."""
    from core.collect.privacy.findings import reason
    from core.workflows.data.effect_words import (
        back_in_use_words,
        gained_words,
        idle_files,
        uncorrected_words,
        why_nothing_new,
    )
    from core.workflows.doubts.rejected_rows import doubt_words

    preview = report.preview
    lines = [_account_line(account) for account in preview.files]
    lines += [doubt_words(table.name, one, joint=": ") for table in preview.tables for one in table.inferences]
    lines += [
        f"{file}: column {one.column!r} {reason(one)}" for file, found in preview.personal.items() for one in found
    ]
    lines += [f"{file.file}: left out: {left_out}" for file in preview.intake if (left_out := _left_out(file, preview))]
    lines += [f"{name}: {one.describe()}" for name, one in preview.readings.items() if not one.is_plain]
    lines += filter(
        None,
        [*preview.fill_words, preview.brought, *preview.elsewhere.values(), *idle_files(preview.files), assumed],
    )
    if preview.gained:
        lines.append(gained_words(preview.gained, preview.completed))
    head = f"data version {report.version.version_id}: {report.version.rows:,} sales, {preview.new_sales:,} new"
    if preview.corrected_sales:
        head += f", {preview.corrected_sales:,} corrected"
    if back := back_in_use_words(preview.back_in_use):
        head += f", {back}"
    if not report.changed:
        return "\n".join([*lines, f"{why_nothing_new(preview.files, preview.held_sales)} Still {head}"])
    undo = f"if that is wrong, undo: {_undo(report, home)}" if _undo(report, home) else ""
    return "\n".join(
        filter(
            None,
            [*lines, uncorrected_words(preview.files, preview.held_sales), head, _next_step(store, report, home), undo],
        )
    )


def _left_out(file: FileIntake, preview: IntakePreview) -> str:
    """Name the columns of a file that are not taken in, each with why; those of persons are named apart."""
    persons = {one.column for one in preview.personal.get(file.file, ())}
    return "; ".join(f"{column} ({why})" for column, why in file.mapping.get("ignored", ()) if column not in persons)


def _next_step(store: Store, report: IntakeReport, home: Path | None) -> str:
    """Return the line that says what to do with new sales, "" without any: no model learns from indicators."""
    from core.workflows.models.waiting import undecided_challenger

    if not report.preview.changed_rows:
        return ""
    market_id = report.version.market_id
    if (waits := undecided_challenger(store, market_id)) is not None:
        return f"next: decide on challenger {waits.model_id}: promote or reject it; it has not seen the new sales"
    verb = "retrain" if store.models.champion(market_id) else "train"
    return f"next: {command(f'{verb} --market {market_id}', home)}"


def _undo(report: IntakeReport, home: Path | None) -> str:
    """Return the command that undoes a doubtful import, "" where nothing is in doubt, or nothing changed."""
    from core.workflows.data.effect_words import idle_files

    preview = report.preview
    unsure = any(not one.sure for table in preview.tables for one in table.inferences) or idle_files(preview.files)
    if not report.changed or not (unsure or preview.elsewhere):
        return ""
    return command(f'undo-version {report.version.version_id} --reason "read wrongly"', home)


def _account_line(account: FileAccounting) -> str:
    from core.accounting import emptied_words
    from core.schema import Source

    reasons = ", ".join(f"{code} {n:,}" for code, n in account.reasons.items())
    return (
        f"{account.file} ({Source(account.source).word}): {account.rows_in:,} rows in = {account.accepted:,} accepted "
        f"+ {account.repaired:,} repaired + {account.duplicate:,} duplicate + {account.rejected:,} rejected "
        f"+ {account.set_aside:,} set aside{emptied_words([account])}" + (f" [{reasons}]" if reasons else "")
    )
