"""The words of the product: no function named by a mere participle, and none of the glossary's old names."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = [path for part in ("api", "core", "pages") for path in ROOT.glob(f"{part}/**/*.py")]
PARTICIPLES = frozenset({"said", "told", "made", "worked", "named"})
OLD_NAMES = frozenset(
    {
        *("Valuer", "open_valuer", "valuer_at", "valuer", "Answered", "spooled", "Unwritten", "Learned", "learned_by"),
        *("Scene", "scene_of", "superseded_sales", "side_by_side", "fit_check", "thin_n", "Appraisal", "appraise"),
        *("Replay", "replay_version", "Held", "Chosen", "Seen", "evaluation_miss", "safe_csv", "lifecycle", "widgets"),
        *("who", "fit_check", "partial_effects", "distance_said", "effect_said"),
        *("Kept", "_Kept", "KeptMany", "_Verdicts", "_unwritten", "side_by_side"),
    }
)
OLD_MODULES = frozenset(
    {
        *("valuer", "answering", "unwritten", "learned", "superseded", "bins", "appends", "verdict", "verdicts"),
        *("fit_check", "ahead", "partial", "trend", "scored", "appraisal", "replay", "faults", "desks", "reasons"),
    }
)


# Its texts are the spellings that addresses have, British ones among them.
EDITED = [path for path in SOURCES if path.name != "address_words.py"]
BRITISH = r"(?:neighbour|colour|behaviour|favour|centre|judgement|metres?\b|recognis|normalis|standardis|summaris)\w*"
STILTED = r"held against|for ever|so many|as (?:people say|a person says)|(?:by|of) (?:itself|themselves)|any more"
PROSE_FAULT = re.compile(rf"\d %|\b(?:{BRITISH}|{STILTED})\b", re.IGNORECASE)
QUOTED_CODE = re.compile(r"``.*?``|`.*?`|\{.*?\}")


def prose_of(source: str) -> Iterator[tuple[int, str]]:
    """Yield comments and texts of more than one word, each with its first line, without the code they quote."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and " " in token.string):
            yield token.start[0], QUOTED_CODE.sub("", token.string)


def names_of(source: str) -> Iterator[str]:
    """Every name a module defines, takes or uses."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name


def idle_functions(source: str) -> list[str]:
    """Functions whose name says that something happened, not what they do."""
    functions = [node.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    return [name for name in functions if name.strip("_") in PARTICIPLES]


def test_functions_are_named_by_what_they_do() -> None:
    found = {str(path): names for path in SOURCES if (names := idle_functions(path.read_text(encoding="utf-8")))}
    assert found == {}
    assert idle_functions("def _told(): ...\ndef tell(): ...") == ["_told"]


def test_none_of_the_old_names_is_left() -> None:
    found = {
        (str(path.relative_to(ROOT)), name)
        for path in SOURCES
        for name in {*names_of(path.read_text(encoding="utf-8"))} & OLD_NAMES
    }
    assert found == set()
    assert {path.stem for path in SOURCES} & OLD_MODULES == set()
    assert {*names_of("def f(who): return Valuer(who.held)")} & OLD_NAMES == {"who", "Valuer"}


def test_prose_does_without_told_and_said() -> None:
    lines = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in SOURCES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(r"\b(told|said)\b", line)
    ]
    assert len(lines) <= 5, lines


def test_prose_is_american_and_writes_percent_one_way() -> None:
    found = {
        (str(path.relative_to(ROOT)), number, fault)
        for path in EDITED
        for number, text in prose_of(path.read_text(encoding="utf-8"))
        for fault in PROSE_FAULT.findall(text)
    }
    assert found == set()
    sample = "x = 'neighbourhood'  # 5 % of `neighbourhood` colours\ny = 'Held against it for ever.'\n"
    faults = [fault for _, text in prose_of(sample) for fault in PROSE_FAULT.findall(text)]
    assert faults == ["5 %", "colours", "Held against", "for ever"]
