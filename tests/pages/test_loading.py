"""What is loaded behind the server's first answer: all that pages work with, so that nothing is imported by two."""

from __future__ import annotations

import subprocess
import sys

from core.installation import ASSETS

SHARED = {"pandas", "numpy", "scipy", "sklearn", "pyarrow", "plotly", "lightgbm", "crepes", "sqlalchemy", "streamlit"}


def test_the_api_imports_no_more_of_the_libraries_that_pages_use() -> None:
    # A page runs while the API loads: two threads that import one library at once could see half of it.
    code = (
        "import sys, pages.loading; before = set(sys.modules); import api.app, api.deps, api.server;"
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ASSETS.parent)
    added = set(done.stdout.split())
    assert "fastapi" in added
    assert added & SHARED == set()
