"""One table in every form a file may have, made by hand where no library is there to write it."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from xml.sax.saxutils import escape

import pandas as pd

Rows = Sequence[Sequence[str]]
"""A header and the rows below it."""

_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_OASIS: Final = "urn:oasis:names:tc:opendocument:xmlns"


def as_text(rows: Rows, separator: str = ",") -> str:
    """Return the table as delimited text."""
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator="\n").writerows(rows)
    return out.getvalue()


def as_zip(parts: Mapping[str, str | bytes]) -> bytes:
    """Return an archive of files by name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def as_xlsx(rows: Rows, names: Sequence[str] = ("Sales",)) -> bytes:
    """Return an Excel workbook with the table in its last sheet, digits as numbers, and a single cell in the others."""
    return as_workbook({name: rows if name == names[-1] else [["1"]] for name in names})


def as_workbook(sheets: Mapping[str, Rows]) -> bytes:
    """Return an Excel workbook of tables by the name of their sheet, digits as numbers."""

    def cell(value: str) -> str:
        if _is_plain_number(value):
            return f"<c><v>{value}</v></c>"
        return f'<c t="inlineStr"><is><t>{_xml(value)}</t></is></c>'

    titles = "".join(f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, name in enumerate(sheets, 1))
    links = "".join(
        f'<Relationship Id="r{n}" Type="{_OFFICE}/worksheet" Target="worksheets/s{n}.xml"/>'
        for n in range(1, len(sheets) + 1)
    )
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="b" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{titles}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{links}</Relationships>',
    }
    for n, rows in enumerate(sheets.values(), 1):
        body = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
        parts[f"xl/worksheets/s{n}.xml"] = f'<worksheet xmlns="{_MAIN}"><sheetData>{body}</sheetData></worksheet>'
    return as_zip(parts)


def as_ods(rows: Rows) -> bytes:
    """Return an OpenDocument workbook with one sheet, digits as numbers."""

    def cell(value: str) -> str:
        if _is_plain_number(value):
            return f'<table:table-cell office:value-type="float" office:value="{value}"/>'
        return f'<table:table-cell office:value-type="string"><text:p>{_xml(value)}</text:p></table:table-cell>'

    lines = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
    spaces = " ".join(f'xmlns:{name}="{_OASIS}:{name}:1.0"' for name in ("office", "table", "text"))
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    content = (
        f"<office:document-content {spaces}><office:body><office:spreadsheet>"
        f'<table:table table:name="Sales">{lines}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    listed = f'<m:file-entry m:full-path="/" m:media-type="{kind}"/>'
    manifest = f'<m:manifest xmlns:m="{_OASIS}:manifest:1.0">{listed}</m:manifest>'
    return as_zip({"mimetype": kind, "content.xml": content, "META-INF/manifest.xml": manifest})


def as_parquet(rows: Rows, numbers: Sequence[str] = ()) -> bytes:
    """Return a Parquet table of text, but for the columns named ``numbers``."""
    buffer = io.BytesIO()
    wide = max(map(len, rows))
    padded = [[*row, *[None] * (wide - len(row))] for row in rows]
    frame = pd.DataFrame(padded[1:], columns=padded[0])
    frame.astype(dict.fromkeys(numbers, "float64")).to_parquet(buffer)
    return buffer.getvalue()


def as_odata(rows: Rows) -> bytes:
    """Return the records as RESO's Web API sends them."""
    records = [dict(zip(rows[0], row, strict=False)) for row in rows[1:]]
    return json.dumps({"@odata.context": "x", "value": records}).encode()


FORMS: Final[Mapping[str, Callable[[Rows], bytes]]] = {
    "utf-8": lambda rows: as_text(rows).encode(),
    "utf-8-sig": lambda rows: as_text(rows).encode("utf-8-sig"),
    "utf-16": lambda rows: as_text(rows).encode("utf-16"),
    "utf-32": lambda rows: as_text(rows).encode("utf-32"),
    "semicolon": lambda rows: as_text(rows, ";").encode(),
    "pipe": lambda rows: as_text(rows, "|").encode(),
    "tab": lambda rows: as_text(rows, "\t").encode(),
    "caret": lambda rows: as_text(rows, "^").encode(),
    "xlsx": as_xlsx,
    "ods": as_ods,
    "parquet": as_parquet,
    "odata": as_odata,
    "zip": lambda rows: as_zip({"__MACOSX/._sales.csv": "x", "sales.csv": as_text(rows)}),
    "gzip": lambda rows: gzip.compress(as_text(rows).encode(), mtime=0),
}
"""How a table becomes the bytes of a file, by the name of its form."""


def _is_plain_number(value: str) -> bool:
    return value.isascii() and value.isdigit() and (value == "0" or not value.startswith("0")) and len(value) < 15


def _xml(value: str) -> str:
    return escape("".join(sign for sign in value if sign >= " "))
