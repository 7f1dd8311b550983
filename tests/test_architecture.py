"""The architecture: who may import whom, read from the sources themselves."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PHASES = ("collect", "prepare", "train", "evaluate", "serve", "monitor")
VOCABULARY = frozenset(
    {
        "errors",
        "schema",
        "states",
        "problem",
        "problem_message",
        "arrays",
        "spreadsheet",
        "installation",
        "progress",
        "parallel",
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


@cache
def parsed(source: str) -> ast.Module:
    """A source's tree, made once for all the rules."""
    return ast.parse(source)


@cache
def nodes(source: str) -> tuple[ast.AST, ...]:
    """All nodes of a source, as ast.walk has them."""
    return tuple(ast.walk(parsed(source)))


def last_name(node: ast.AST) -> str:
    """The last name of a dotted expression, such as ``c`` of ``a.b.c``."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


@cache
def imports(source: str, module: str = "") -> tuple[str, ...]:
    """Every module the source imports, wherever in the file, as a dotted name; ``np.random`` counts as numpy.random.

    Of ``from a import b`` both ``a`` and ``a.b`` are given, since b may be a module.
    """
    return tuple(_imports(source, module))


def _imports(source: str, module: str) -> Iterator[str]:
    numpy_names = set()
    for node in nodes(source):
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
        elif isinstance(node, ast.Call) and last_name(node.func).endswith(("import_module", "__import__")):
            yield from (str(word.value) for word in node.args if isinstance(word, ast.Constant))
    for node in nodes(source):
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
    docstring = ast.get_docstring(parsed((ROOT / path).read_text(encoding="utf-8")))
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
        ("core.store.base.tables", "from core.collect.reading.reader import read_table", "core.collect"),
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
        ("core.workflows", "from core.monitor import drift\nfrom core.collect import mapping"),
        ("api.app", "from starlette.routing import Route\nfrom core.store import Store"),
        ("app", "import streamlit as st\nfrom api.app import routes\nfrom pages.kit import session"),
        ("pages.pricing", "import streamlit as st\nfrom core.serve.estimate import estimate\nimport numpy as np"),
    ],
)
def test_an_allowed_import_is_no_fault(module: str, source: str) -> None:
    assert faults(module, source) == []


FILES_A_FOLDER = 15
# What views use of another page's views, each with its reason in the docstring of the module it names.
VIEWS_APART = frozenset(
    {
        # Evaluation draws a training run's scores as Models does.
        ("pages/views/evaluation", "pages/views/models"),
    }
)


def folder_of(name: str) -> str:
    """The folder of a module or package given by its dotted name."""
    path = ROOT.joinpath(*name.split("."))
    return "/".join((path if path.is_dir() else path.parent).relative_to(ROOT).parts)


@cache
def arrows() -> set[tuple[str, str]]:
    """Which folder imports which, read from every module of the product."""
    found = set()
    for path in SOURCES:
        own = "/".join(path.parent.parts)
        for name in imports((ROOT / path).read_text(encoding="utf-8"), module_name(path)):
            if name.split(".")[0] in PARTS and ROOT.joinpath(*name.split(".")).with_suffix(".py").is_file():
                found.add((own, folder_of(name)))
    return {(start, end) for start, end in found if start != end}


def crowded(files: list[Path]) -> list[str]:
    """The folders that hold more Python files than a reader takes in at a glance."""
    counts: dict[str, int] = {}
    for path in files:
        if path.name != "__init__.py":
            counts[str(path.parent)] = counts.get(str(path.parent), 0) + 1
    return [folder for folder, n in counts.items() if n > FILES_A_FOLDER]


def mutual(pairs: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """The pairs of folders that import each other; ``core`` and ``pages`` themselves hold what their folders share."""
    return sorted(pair for pair in pairs if pair[::-1] in pairs and pair[0] < pair[1] and "/" in pair[0])


def strays(pairs: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """Imports by a page's views of another page's, and of any view by the kit."""
    views = [(start, end) for start, end in pairs if end.startswith("pages/views/") and end != "pages/views/estimate"]
    return sorted(
        pair for pair in views if pair[0].startswith(("pages/views/", "pages/kit")) and pair not in VIEWS_APART
    )


def test_a_folder_is_small_enough_to_be_taken_in_at_a_glance() -> None:
    assert crowded(SOURCES) == []
    assert crowded([Path("core/many") / f"{n}.py" for n in range(FILES_A_FOLDER + 1)]) == ["core/many"]


LINES_A_FILE = 450
LINES_A_FUNCTION = 60


def oversized(source: str) -> list[str]:
    """What of a module is too long to be read in one go: the module itself, or functions by name."""
    functions = [node for node in nodes(source) if isinstance(node, ast.FunctionDef)]
    long = [node.name for node in functions if (node.end_lineno or 0) - node.lineno >= LINES_A_FUNCTION]
    return long + (["the file"] if len(source.splitlines()) > LINES_A_FILE else [])


def test_a_file_and_a_function_are_short_enough_to_be_read_in_one_go() -> None:
    found = {str(path): long for path in SOURCES if (long := oversized((ROOT / path).read_text(encoding="utf-8")))}
    assert found == {}
    assert oversized("def f():\n" + "    pass\n" * LINES_A_FUNCTION) == ["f"]
    assert oversized("x = 1\n" * (LINES_A_FILE + 1)) == ["the file"]


def test_no_two_folders_import_each_other() -> None:
    assert mutual(arrows()) == []
    assert mutual({("core/a", "core/b"), ("core/b", "core/a"), ("core/a", "core/c")}) == [("core/a", "core/b")]


def test_the_parts_of_a_page_stand_on_the_kit_and_not_on_other_pages() -> None:
    assert strays(arrows()) == []
    assert arrows() >= VIEWS_APART, "an exception that nobody needs any more"
    bad = {("pages/views/home", "pages/views/pricing"), ("pages/kit", "pages/views/home")}
    assert strays(bad | {("pages/views/home", "pages/views/estimate")}) == sorted(bad)


# The problem statement is read where a run begins; everything else is given it, in the workspace or by itself.
ENTRY_POINTS = frozenset({"core.problem", "core.cli.main", "core.cli.values", "pages.kit.session", "api.server"})


def reads_the_problem_statement(module: str, source: str) -> bool:
    """Whether a module that is no entry point imports ``load_problem`` or calls it."""
    if module in ENTRY_POINTS:
        return False
    called = any(last_name(node) == "load_problem" for node in nodes(source))
    return called or "core.problem.load_problem" in imports(source, module)


def test_only_entry_points_read_the_problem_statement() -> None:
    sources = {module_name(path): (ROOT / path).read_text(encoding="utf-8") for path in SOURCES}
    assert [module for module, source in sources.items() if reads_the_problem_statement(module, source)] == []
    assert sources.keys() >= ENTRY_POINTS
    for source in ("from core.problem import load_problem", "import core.problem as p\np.load_problem()"):
        assert reads_the_problem_statement("core.workflows.jobs", source)
        assert not reads_the_problem_statement("core.cli.main", source)


# Modules of the pages that draw nothing themselves, each with the reason why it is no use case.
DRAWN_BY_OTHERS = frozenset(
    {
        # All modules in one import, which shell and launcher wait for.
        "pages.loading",
        # Text made fit for Streamlit's Markdown.
        # Figures of Plotly, for a view to draw.
        "pages.views.estimate.comparables_map",
        "pages.views.evaluation.charts",
        "pages.views.evaluation.model_charts",
        "pages.views.monitoring.charts",
        "pages.views.sales_data.charts",
        # The columns table's cells and labels, for the data editor; the rules of a correction are in core.
        "pages.views.sales_data.mapping_table",
    }
)


def undrawn(sources: Mapping[str, str]) -> list[str]:
    """Modules of the pages that do not use Streamlit: what draws nothing and is not listed belongs in core."""
    pages = {name: source for name, source in sources.items() if within(name, "pages")}
    return sorted(
        name
        for name, source in pages.items()
        if parsed(source).body[1:] and not any(within(one, "streamlit") for one in imports(source, name))
    )


def test_what_draws_nothing_is_in_core_and_not_among_the_pages() -> None:
    sources = {module_name(path): (ROOT / path).read_text(encoding="utf-8") for path in SOURCES}
    found = set(undrawn(sources))
    assert found - DRAWN_BY_OTHERS == set(), "move the rule to core, or list the module with its reason"
    assert DRAWN_BY_OTHERS - found == set(), "an exception that nobody needs any more"
    rule = '"""A rule."""\n\n\ndef price(area: float) -> float:\n    return 300 * area\n'
    drawn = '"""A view."""\n\nimport streamlit as st\n\nst.write(1)\n'
    made = {"pages.views.home.rule": rule, "pages.views.home.view": drawn, "core.rule": rule}
    assert undrawn(made | {"pages.views": '"""Nothing but a docstring."""'}) == ["pages.views.home.rule"]
