"""The architecture: who may import whom, read from the sources themselves."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PHASES = ("collect", "prepare", "train", "evaluate", "serve", "monitor")
VOCABULARY = frozenset(
    {
        "errors",
        "schema",
        "problem",
        "problem_message",
        "arrays",
        "installation",
        "progress",
        "access",
        "measures",
        "accounting",
        "wording",
    }
)
CONDUCTORS = frozenset({"workflows", "demo", "cli", "__main__"})
MODELLING = ("sklearn", "scipy", "joblib", "numpy.random")
PARTS = ("api", "core", "pages")
MODULES = [*ROOT.glob("*.py"), *(path for part in PARTS for path in ROOT.glob(f"{part}/**/*.py"))]
SOURCES = sorted(path.relative_to(ROOT) for path in MODULES)


def imports(source: str, module: str = "") -> Iterator[str]:
    """Every module the source imports, wherever in the file, as a dotted name; ``np.random`` counts as numpy.random.

    Of ``from a import b`` both ``a`` and ``a.b`` are given, since b may be a module.
    """
    tree = ast.parse(source)
    numpy_names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
                if alias.name == "numpy":
                    numpy_names.add(alias.asname or "numpy")
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = module.split(".")[: -node.level]
                base = ".".join([*parents, base]).strip(".")
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            yield from (str(word.value) for word in node.args if isinstance(word, ast.Constant))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in numpy_names:
            yield f"numpy.{node.attr}"


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def faults(module: str, source: str) -> list[str]:
    """Every import of the module (a dotted name such as core.serve.estimate) that the architecture forbids."""
    found = set(imports(source, module))
    if module.startswith("pages"):
        return [name for name in found if any(within(name, library) for library in MODELLING)]
    if module.startswith("api"):
        forbidden_to_api = ("streamlit", "pages", "app", *MODELLING)
        return [name for name in found if any(within(name, other) for other in forbidden_to_api)]
    if not module.startswith("core"):
        return []
    bad = [name for name in found if any(within(name, ui) for ui in ("streamlit", "pages", "api", "app"))]
    ours = {name.split(".")[1] for name in found if name.startswith("core.")}
    return bad + [f"core.{name}" for name in sorted(ours & forbidden(module))]


def forbidden(module: str) -> frozenset[str]:
    """Names directly under core that the module must not import."""
    part = [*module.split("."), ""][1]
    phases = frozenset(PHASES)
    if part in PHASES:
        return phases - set(PHASES[: PHASES.index(part) + 1]) | CONDUCTORS | {"workspace"}
    if part in CONDUCTORS:
        return frozenset()
    if part in VOCABULARY:
        return phases | CONDUCTORS | {"store", "workspace"}
    if part == "workspace":
        return phases | CONDUCTORS
    return phases | CONDUCTORS | {"workspace"}


def module_name(path: Path) -> str:
    return ".".join(path.with_suffix("").parts)


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_imports_keep_the_direction(path: Path) -> None:
    assert faults(module_name(path), (ROOT / path).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_every_module_says_what_it_is_in_a_sentence(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse((ROOT / path).read_text(encoding="utf-8")))
    assert docstring, f"{path} has no docstring"
    assert docstring.split("\n\n")[0].rstrip().endswith("."), f"{path}: the docstring's first paragraph is no sentence"


def test_everything_directly_under_core_has_its_place() -> None:
    names = {path.parts[1].removesuffix(".py") for path in SOURCES if path.parts[0] == "core"}
    assert names - {"__init__", "store"} <= {*PHASES, *VOCABULARY, *CONDUCTORS, "workspace"}


@pytest.mark.parametrize(
    ("module", "source", "fault"),
    [
        ("core.serve.estimate", "import streamlit as st", "streamlit"),
        ("core.serve.estimate", "def f():\n    from streamlit.runtime import x", "streamlit.runtime"),
        ("core.collect.merge", "from core.prepare.cleaning import clean_sales", "core.prepare"),
        ("core.collect.merge", "from core import prepare", "core.prepare"),
        ("core.collect.merge", "from ..prepare import cleaning", "core.prepare"),
        ("core.prepare.splits", "import core.train.search", "core.train"),
        ("core.serve.estimate", "from core.monitor.drift import psi", "core.monitor"),
        ("core.serve.estimate", "from core.cli import main", "core.cli"),
        ("core.store.base.tables", "from core.collect.reader import read_table", "core.collect"),
        ("core.schema", "from core.store import open_store", "core.store"),
        ("core.serve.estimate", "import importlib\nimportlib.import_module('pages.shell')", "pages.shell"),
        ("core.errors", "from pages.kit import figures", "pages.kit"),
        ("core.errors", "from pages.kit import text", "pages.kit"),
        ("core.errors", "from api.app import routes", "api.app"),
        ("api.app", "from pages.kit import session", "pages.kit"),
        ("api.security", "import streamlit as st", "streamlit"),
        ("api.app", "import scipy.stats", "scipy.stats"),
        ("pages.pricing", "from sklearn.ensemble import RandomForestRegressor", "sklearn.ensemble"),
        ("pages.pricing", "import numpy as np\nnp.random.default_rng(0)", "numpy.random"),
        ("pages.kit.charts", "from numpy import random", "numpy.random"),
        ("pages.kit.charts", "import joblib", "joblib"),
    ],
)
def test_a_forbidden_import_would_be_found(module: str, source: str, fault: str) -> None:
    assert fault in faults(module, source)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("core.monitor.drift", "from core.serve.estimate import estimate\nfrom core.store import open_store"),
        (
            "core.prepare.quality.cleaning",
            "from core.collect.addresses import address_keys\nimport numpy as np\nnp.random",
        ),
        ("core.workflows", "from core.monitor import drift\nfrom core.collect import reader"),
        ("api.app", "from starlette.routing import Route\nfrom core.store import Store"),
        ("app", "import streamlit as st\nfrom api.app import routes\nfrom pages.kit import session"),
        ("pages.pricing", "import streamlit as st\nfrom core.serve.estimate import estimate\nimport numpy as np"),
    ],
)
def test_an_allowed_import_is_no_fault(module: str, source: str) -> None:
    assert faults(module, source) == []
