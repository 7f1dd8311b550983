"""A market's homes by address: made anew, or in a large market read from the server's disk."""

from __future__ import annotations

import hashlib
import logging
from typing import Final

from core.errors import ArtifactCorrupt, StoreUnavailable, in_full
from core.installation import code_fingerprint
from core.serve.agent.address_book import AddressBook
from core.serve.agent.form_facts import facts_asked
from core.store import Store
from core.train.model import Model
from core.workflows.opening import evidence

_LOG: Final = logging.getLogger(__name__)


def names_kept(model: Model, area_figures: frozenset[str]) -> tuple[str, ...]:
    """Return the facts to keep of each home: its place, and all that an agent can enter."""
    return (*model.facts.area_codes, "latitude", "longitude", *facts_asked(model, area_figures))


def address_book(store: Store, market_id: str, version_id: str, names: tuple[str, ...]) -> AddressBook:
    """Return the address book of a data version; a large one is kept on disk, and read from there the next time.

    Raises NotFound, ArtifactCorrupt for lost sales, StoreUnavailable.
    """
    digest = hashlib.sha256("\n".join(names).encode()).hexdigest()[:12]
    folder, key = f"{market_id}-homes", f"{version_id}-{digest}-{code_fingerprint()}"
    if store.opened.holds(folder, key):
        try:
            kept: AddressBook = store.opened.read(folder, key)
        except ArtifactCorrupt as error:
            _LOG.warning("%s", error)
        else:
            return kept
    sales, roll = store.versions.load(version_id), store.versions.load_roll(version_id)
    book = AddressBook(sales, names, roll)
    if len(sales) < evidence.KEPT_FROM:
        return book
    try:
        store.opened.keep(folder, key, book)
        mapped: AddressBook = store.opened.read(folder, key)
    except (ArtifactCorrupt, StoreUnavailable) as error:
        _LOG.warning("the address book is not kept: %s", in_full(error))
        return book
    return mapped
