"""The style sheet of the model card's page: light and dark, on a phone and in print."""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root { color-scheme: light dark; --ink: #1c2b30; --soft: #55666c; --paper: #ffffff; --band: #f4f7f7; --line: #d3ddde;
  --main: #0b6670; --other: #b4540a; --pass: #0d6b3f; --fail: #a8321a; --open: #7a5a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4ebec; --soft: #a3b2b7; --paper: #11181b; --band: #1b2529;
  --line: #33434a; --main: #5fb9c2; --other: #f0903c; --pass: #5ccf96; --fail: #f58a70; --open: #e0bb4a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 "Source Sans 3", "Source Sans Pro",
  "Segoe UI", system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
header { border-bottom: 3px solid var(--main); margin-bottom: 1.5rem; padding-bottom: 1rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .75rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.25rem 0 .5rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.25rem 0 .25rem; }
p { margin: .5rem 0; max-width: 46rem; }
header ul { list-style: none; margin: 0; padding: 0; color: var(--soft); }
li { overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; margin: .5rem 0 .75rem; }
th, td { padding: .3rem .6rem; text-align: right; vertical-align: middle; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
th { color: var(--soft); font-weight: 600; border-bottom: 2px solid var(--line); white-space: normal; }
th[colspan] { text-align: center; }
th.text, td.text { text-align: left; white-space: normal; }
td.text:first-child { min-width: 8.5rem; }
tbody tr:nth-child(even) { background: var(--band); }
.between { color: var(--soft); font-size: .86em; }
.dense .between { display: block; }
td.bar { width: 7.5rem; padding: 0 .6rem 0 0; }
td.bar svg { display: block; width: 6.9rem; height: 16px; }
.track { fill: var(--line); opacity: .55; }
.value { fill: var(--main); }
.below { fill: var(--other); }
.spread { stroke: var(--ink); stroke-width: 1.5; }
.middle { stroke: var(--soft); stroke-width: 1; }
.chip { display: inline-block; padding: 0 .5rem; border: 1px solid; border-radius: 1rem; font-size: .86em;
  font-weight: 600; }
.pass { color: var(--pass); } .fail { color: var(--fail); } .inconclusive { color: var(--open); }
.no-target { color: var(--soft); border-style: dashed; }
figure { margin: .75rem 0; }
figure svg { width: 100%; max-width: 34rem; height: auto; }
figure text { fill: var(--soft); font-size: 12px; }
.axis { stroke: var(--line); } .seen { stroke: var(--other); fill: none; } .unseen { stroke: var(--main); fill: none; }
.seen, .unseen { stroke-width: 2; } .seen-mark { fill: var(--other); } .unseen-mark { fill: var(--main); }
figure text.seen-name { fill: var(--other); font-weight: 600; }
figure text.unseen-name { fill: var(--main); font-weight: 600; }
.signature { border: 1px solid var(--line); border-left: 4px solid var(--main); background: var(--band);
  padding: .75rem 1rem; margin: .75rem 0; }
.signature p { overflow-wrap: anywhere; }
.lines { display: flex; flex-wrap: wrap; gap: 2.5rem 2rem; margin-top: 2.5rem; }
.lines span { flex: 1 1 12rem; border-top: 1px solid var(--soft); color: var(--soft); font-size: .86em; }
@media (max-width: 40rem) { main { padding: 1.25rem .9rem 3rem; } h1 { font-size: 1.35rem; }
  table { font-size: 13px; } th, td { padding: .3rem .4rem; } .between { display: block; }
  td.bar, td.bar svg { width: 4.5rem; } .chip { font-size: 11px; padding: 0 .3rem; }
  td.text:first-child { min-width: 6.5rem; } }
@media print { :root { --ink: #000; --soft: #444; --paper: #fff; --band: #f4f4f4; --line: #bbb; --main: #0b6670;
  --other: #b4540a; --pass: #0d6b3f; --fail: #a8321a; --open: #7a5a00; }
  body { font-size: 10.5px; } main { max-width: none; padding: 0; } tr, figure, .signature { break-inside: avoid; }
  h2, h3 { break-after: avoid; } .wide { overflow: visible; } td.bar, td.bar svg { width: 5rem; } }
"""
