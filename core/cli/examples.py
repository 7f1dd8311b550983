"""Two examples of every verb, shown at the end of its help."""

from __future__ import annotations

from typing import Final

EXAMPLES: Final[dict[str, tuple[str, str]]] = {
    "ingest": (
        "ingest sales.csv tax.csv --market Springfield --currency USD",
        "ingest deeds.xlsx --sheet 2024 --write-mapping deeds.json",
    ),
    "cut": (
        "cut statewide.csv.gz --by County --into counties",
        'cut springfield.csv --by month --date "Closing Date" --into months',
    ),
    "ingest-pieces": (
        "ingest-pieces counties --currency USD",
        "ingest-pieces months --market springfield --json",
    ),
    "template": (
        "template sales sales.xlsx --market springfield",
        "template tax tax_roll.csv",
    ),
    "versions": (
        "versions --market springfield",
        "versions --market springfield --json",
    ),
    "undo-version": (
        'undo-version 3fa94c0117be --reason "the wrong county"',
        'undo-version 3fa94c0117be --reason "sent by mistake" --json',
    ),
    "use-version": (
        "use-version 3fa94c0117be",
        'use-version 3fa94c0117be --reason "it was the right county"',
    ),
    "scrutiny": (
        "scrutiny --market springfield --kind price_digit",
        'scrutiny 3fa94c01 --decide correct --value 385000 --note "digit typed twice" --apply',
    ),
    "train": (
        "train --market springfield",
        'train --market springfield --split time --test-from 2025-07-01 --family "gradient boosting"',
    ),
    "evaluate": (
        "evaluate --market springfield",
        "evaluate --market springfield --later --json",
    ),
    "models": (
        "models --market springfield",
        "models --market springfield --json",
    ),
    "retrain": (
        "retrain --market springfield --window months=24",
        "retrain --all-markets --json",
    ),
    "promote": (
        "promote 5d1c0a7e",
        'promote 5d1c0a7e --reason "better on luxury homes"',
    ),
    "rollback": (
        'rollback --market springfield --reason "bias in the north"',
        'rollback --reason "wrong prices since Monday" --actor Mia',
    ),
    "reject": (
        'reject 5d1c0a7e --reason "worse on condos"',
        "reject 5d1c0a7e --undo",
    ),
    "backtest": (
        "backtest --market springfield --start 2024-01-01",
        'backtest --market springfield --start 2024-01-01 --family "linear baseline" --json',
    ),
    "demo": (
        "demo",
        "demo --sales 5000 --home demo-store",
    ),
    "markets": (
        "markets",
        "markets --json",
    ),
    "price": (
        "price --market springfield --set zipcode=98103 living_area_sqft=1680 bedrooms=3",
        "price --market springfield --csv listings.csv --json",
    ),
    "watch": (
        "watch",
        "watch --market springfield --json",
    ),
    "alerts": (
        "alerts --market springfield",
        "alerts --market springfield --all --json",
    ),
    "ledger": (
        "ledger ledger.csv --market springfield",
        "ledger ledger.csv --market springfield --since 2025-01-01 --until 2025-03-31",
    ),
    "worker": (
        "worker",
        "worker --every 15 --on-alert retrain",
    ),
    "jobs": (
        "jobs --open",
        "jobs --market springfield --json",
    ),
    "cancel": (
        "cancel 3fa94c0117be25d0",
        "cancel 3fa94c0117be25d0 --json",
    ),
    "pilot": (
        'pilot --market springfield --add North --start 2026-12-01 --reason "first office"',
        "pilot --market springfield --report --json",
    ),
    "create-key": (
        'create-key "MLS feed" --office North',
        'create-key "Website" --allow price --json',
    ),
    "keys": (
        "keys",
        "keys --json",
    ),
    "revoke-key": (
        "revoke-key 3fa94c01",
        "revoke-key 3fa94c01 --actor Mia",
    ),
    "doctor": (
        "doctor",
        "doctor --json",
    ),
    "backup": (
        "backup doorstep-2025-06-30.tar",
        "backup /mnt/backups/doorstep.tar --json",
    ),
    "restore": (
        "restore doorstep-2025-06-30.tar --home restored",
        "restore /mnt/backups/doorstep.tar",
    ),
    "sign": (
        "sign",
        "sign 5d1c0a7e --vouch",
    ),
    "serve": (
        "serve",
        "serve --host 0.0.0.0 --port 8080",
    ),
}


def examples_of(verb: str, program: str) -> str:
    """Return the examples of a verb as the last part of its help; raises KeyError for a verb without any."""
    return "\n".join(["examples:", *(f"  {program} {example}" for example in EXAMPLES[verb])])
