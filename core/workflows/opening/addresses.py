"""A market's homes by address: made anew, or in a large market read from the server's disk."""

from __future__ import annotations

import hashlib

from core.installation import code_fingerprint
from core.serve.agent.address_book import AddressBook
from core.serve.agent.form_facts import facts_asked, facts_from_roll
from core.store import Store
from core.train.model import Model
from core.workflows.opening.kept import is_large, keep, read_kept


def names_kept(model: Model, area_figures: frozenset[str]) -> tuple[str, ...]:
    """Return the facts to keep of each home: its place, all that an agent can enter, and what only a tax roll has."""
    asked = (*facts_asked(model, area_figures), *facts_from_roll(model))
    return (*model.facts.area_codes, "latitude", "longitude", *asked)


def address_book(store: Store, market_id: str, version_id: str, names: tuple[str, ...]) -> AddressBook:
    """Return the address book of a data version; a large one is kept on disk, and read from there the next time.

    Raises NotFound, ArtifactCorrupt for lost sales, StoreUnavailable.
    """
    digest = hashlib.sha256("\n".join(names).encode()).hexdigest()[:12]
    folder, key = f"{market_id}-homes", f"{version_id}-{digest}-{code_fingerprint()}"
    kept: AddressBook | None = read_kept(store, folder, key)
    if kept is not None:
        return kept
    sales, roll = store.versions.load(version_id), store.versions.load_roll(version_id)
    book = AddressBook(sales, names, roll, store.versions.id_digits(version_id))
    return keep(store, folder, key, book) if is_large(len(sales)) else book
