"""What files change in a market, or why they change nothing, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from core.accounting import FileAccounting, rejected_words, repeated_rows
from core.collect.mapping import MappedTable
from core.prepare.quality.corrections import OTHER_FACTS
from core.prepare.quality.duplicates import NEAR_PRICE
from core.schema import Source, label_of
from core.wording import count, percent
from core.workflows.doubts.price_tellers import Leaks
from core.workflows.doubts.rejected_rows import doubt_words

TAKE_FACTS: Final = "A tick in the check (on the command line, --take-facts)"
_FACTS_SHOWN: Final = 3
# A file with fewer rows than this share of the market's sales does not hold all of them.
_WHOLE_SHARE: Final = 0.8


def open_doubts(
    tables: Sequence[MappedTable], elsewhere: Mapping[str, str], leaks: Leaks, files: Sequence[FileAccounting]
) -> tuple[str, ...]:
    """Return what a person should look at before files are committed, a sentence each.

    That is files whose sales may be of ``elsewhere``, columns that may be misread, those that reveal the price, and
    tax and neighborhood files that add nothing.
    """
    misread = [f"{doubt_words(one.name, seen)}." for one in tables for seen in one.inferences if not seen.sure]
    reveal = [f"{file}, {leak.column}: it is {leak.why}." for file, found in leaks.items() for leak in found]
    return (*elsewhere.values(), *misread, *reveal, *idle_files(files))


def idle_files(files: Sequence[FileAccounting]) -> tuple[str, ...]:
    """Return for each tax or neighborhood file that completes no sale why, and what helps."""
    beside = any(one.source == Source.SALES for one in files)
    return tuple(
        _idle_words(one)
        for one in files
        if one.rows_in
        and not one.reasons.get("matched", 0)
        and (one.source == Source.TAX or (one.source == Source.NEIGHBOURHOOD and beside))
    )


def _idle_words(file: FileAccounting) -> str:
    if file.source == Source.TAX and file.accepted:
        return (
            f"{file.file} completes no sale: none of its {count(file.rows_in, 'row')} matches one. Its homes are only "
            "looked up. Check its columns of parcel number, address or area."
        )
    return f"{file.file} adds nothing: {_why_idle(file)}"


def _why_idle(file: FileAccounting) -> str:
    rows = count(file.rows_in, "row")
    if file.reasons.get("ambiguous_key", 0) > file.rows_in / 2:
        return (
            f"most of its {rows} share a place with others that differ. Bring one row for each; figures by date have "
            "one column of their day, with one row for each area and day."
        )
    if file.reasons.get("no_key", 0) > file.rows_in / 2:
        return (
            f"most of its {rows} name no home by parcel number or address. If it holds figures of areas, choose "
            "“Neighborhoods” as its kind and bring one row for each area; figures by date have one column of their "
            "day, with one row for each area and day."
        )
    return f"none of its {rows} matches a sale. Check its columns of parcel number, address or area."


def gained_words(gained: Mapping[str, int], sales: int) -> str:
    """Say in a sentence which facts that many stored sales gain: the most frequent ones by name."""
    verb = "gains" if sales == 1 else "gain"
    return f"{count(sales, 'stored sale')} {verb} {count(len(gained), 'fact')}: {listed_facts(gained)}."


def listed_facts(by_fact: Mapping[str, int]) -> str:
    """List the most frequent facts by name with how many sales get each: "Lot area (9), Roof (7) and 2 more"."""
    frequent = sorted(by_fact.items(), key=lambda one: -one[1])
    shown = [f"{label_of(name)} ({n:,})" for name, n in frequent[:_FACTS_SHOWN]]
    if len(by_fact) > len(shown):
        shown.append(f"{len(by_fact) - len(shown):,} more")
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else shown[0]


def late_words(withheld: Sequence[str], implausible: Mapping[str, int]) -> str:
    """Say what stored sales do not get of a tax file that comes after them, and why; "" where they get all of it."""
    found = []
    if withheld:
        found.append(
            f"Stored sales do not get {' or '.join(map(label_of, withheld))} from a tax file that comes after them: an "
            "assessor may have known their prices. Later sales get them if their homes were assessed before the sale."
        )
    if implausible:
        listed = ", ".join(f"{label_of(name)} ({n:,})" for name, n in implausible.items())
        found.append(f"{count(sum(implausible.values()), 'value')} of the files left out as not plausible: {listed}.")
    return " ".join(found)


def known_words(files: Sequence[FileAccounting], left_out: str) -> str:
    """Say how many stored sales have the facts of tax and neighborhood files already; "" where these match none.

    ``left_out`` says which facts stored sales do not get.
    """
    matched = sum(one.reasons.get("matched", 0) for one in files)
    verb = "has" if matched == 1 else "have"
    these = "all other facts" if left_out else "these facts"
    return f"{count(matched, 'stored sale')} {verb} {these} already." if matched else ""


def unproven_words(withheld: Iterable[str]) -> str:
    """Say which values of a tax roll some sales do not get, and why; "" where they get all of them."""
    names = " or ".join(map(label_of, withheld))
    if not names:
        return ""
    return (
        f"A sale gets {names} from the tax roll only where the roll says that the home was assessed before the sale: "
        "otherwise an assessor may have known its price."
    )


def back_in_use_words(number: int) -> str:
    """Say how many stored sales come back into use, or leave it, beside the new ones; "" for none."""
    if not number:
        return ""
    what = "back in use" if number > 0 else "set aside"
    return f"{count(abs(number), 'stored sale')} {what}, as decided"


def why_nothing_new(files: Sequence[FileAccounting], stored: int) -> str:
    """Say why files change nothing in a market of that many sales: it has their sales and facts, or rejects rows."""
    return " ".join(filter(None, (_why_no_new_sale(files), uncorrected_words(files, stored), _why_no_fact(files))))


def uncorrected_words(files: Sequence[FileAccounting], stored: int) -> str:
    """Say how many rows give other facts of a stored sale without correcting it, and what helps; "" if none does.

    Only files with about as many rows as the market has sales, ``stored``, can take the place of the earlier ones.
    """
    otherwise = sum(account.reasons.get(OTHER_FACTS, 0) for account in files)
    if not otherwise:
        return ""
    have = "row gives" if otherwise == 1 else "rows give"
    rows = sum(account.rows_in for account in files if account.source == Source.SALES)
    remedy = "If this file is the right one, undo the earlier files and commit it instead."
    if rows < _WHOLE_SHARE * stored:
        remedy = (
            "To correct them, bring a file with a sale id, or undo the earlier files and bring all "
            f"{stored:,} sales anew with the right facts: this one alone has {count(rows, 'row')}."
        )
    remedy = f"{TAKE_FACTS} takes them where a sale is surely the same. {remedy}"
    return (
        f"{otherwise:,} {have} other facts of a stored sale, which stays as it is: without a sale id in "
        "both files, which a home’s own number is not, only a price more than "
        f"{percent(NEAR_PRICE, 1)} apart corrects a sale. {remedy}"
    )


def _why_no_fact(files: Sequence[FileAccounting]) -> str:
    """Say of other files than sales that the market gains nothing from them."""
    dated = ", ".join(one.file for one in files if one.source == Source.INDICATORS)
    held = f"The market has the figures of {dated} already." if dated else ""
    others = [one for one in files if one.source in (Source.TAX, Source.NEIGHBOURHOOD)]
    if not others:
        return held
    names = ", ".join(one.file for one in others)
    if not sum(one.reasons.get("matched", 0) for one in others):
        return f"No row of {names} matches a stored sale. {held}".rstrip()
    return f"The stored sales have the facts of {names} already. {held}".rstrip()


def _why_no_new_sale(files: Sequence[FileAccounting]) -> str:
    sales = [account for account in files if account.source == Source.SALES]
    rejected, known = (sum(getattr(account, name) for account in sales) for name in ("rejected", "duplicate"))
    rows = sum(account.rows_in for account in sales)
    if not sales:
        return ""
    if not rejected:
        return "The market already has all of these sales."
    why, repeated = rejected_words(files), repeated_rows(sales)
    why, known = f" ({why})" if why else "", known - repeated
    are, have = ("is" if rejected == 1 else "are"), ("is a sale" if known == 1 else "are sales")
    twice = f"{repeated:,} {'repeats' if repeated == 1 else 'repeat'} another row" if repeated else ""
    if known > rejected:
        parts = [
            f"{known:,} {have} that the market has, in use or set aside",
            twice,
            f"{rejected:,} {are} rejected{why}",
        ]
        return f"Of these {count(rows, 'row')}, {'; '.join(filter(None, parts))}."
    rest = "".join(f" {one}." for one in (f"{known:,} {have} that the market has" if known else "", twice) if one)
    return f"The check rejects {rejected:,} of {count(rows, 'row')}{why}. Check the columns.{rest}"


def left_out_words(files: Sequence[FileAccounting]) -> str:
    """Say which rows of sales do not go in with the others, and why: rejected ones, and doubtful ones; "" for none."""
    rejected, waiting = (sum(getattr(one, name) for one in files) for name in ("rejected", "set_aside"))
    why = rejected_words(files)
    lost = f"{count(rejected, 'row')} {'is' if rejected == 1 else 'are'} rejected{f' ({why})' if why else ''}"
    kept = f"{count(waiting, 'doubtful sale')} {'is' if waiting == 1 else 'are'} set aside until somebody decides"
    parts = [*([lost] if rejected else []), *([kept] if waiting else [])]
    return f"{', and '.join(parts)}." if parts else ""
