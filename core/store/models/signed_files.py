"""Model files: signed when they are stored, and never handed out without a valid signature.

A model file is a pickle, which can run any code when it is loaded. Its hash shows damage, but who can write both folder
and database can change both. The signature is an HMAC-SHA256 of the file's bytes; its key is outside both.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.errors import ArtifactStoreAway, ModelNotSigned
from core.store.base.artifacts import ArtifactFolder, unavailable_on_os_error, write_atomically
from core.store.models.signing_keys import SigningKeys, accepted_keys, keys_to_sign

_SIGNATURES: Final = "signatures"


@dataclass(frozen=True)
class SignedFiles:
    """The model files of a home and their signatures; where servers share artifacts, they share signatures too."""

    home: Path
    bundles: ArtifactFolder

    def put(self, payload: bytes) -> str:
        """Store a model durably with its signature and return its hash; raises StoreUnavailable."""
        keys = keys_to_sign(self.home)
        sha256 = self.bundles.put(payload)
        self._sign(sha256, payload, keys)
        return sha256

    def read(self, sha256: str) -> bytes:
        """Return a model whose hash and signature are valid.

        Raises ArtifactCorrupt, of which ModelNotSigned without a valid signature; StoreUnavailable.
        """
        payload = self.bundles.read(sha256)
        if not self._is_signed(sha256, payload, accepted_keys(self.home)):
            raise ModelNotSigned(
                f"The model file {self.bundles.path(sha256)} is not signed with a key of this server and was not "
                "loaded. Give all servers the same signing key, or, if you trust all who could write to the store, "
                "run: doorstep sign --vouch."
            )
        return payload

    def holds(self, sha256: str) -> bool:
        """Tell whether a model's file exists; only reading it shows whether it is intact. Raises StoreUnavailable."""
        return self.bundles.holds(sha256)

    def sign(self, sha256: str, *, vouch: bool) -> bool:
        """Sign a stored model with the first key; return False, and change nothing, if that key signed it already.

        Without ``vouch``, only a model with a valid signature of another accepted key is signed. Raises ModelNotSigned
        for another one, ArtifactCorrupt, StoreUnavailable.
        """
        payload = self.bundles.read(sha256) if vouch else self.read(sha256)
        keys = keys_to_sign(self.home)
        if self._is_signed(sha256, payload, keys.first()):
            return False
        self._sign(sha256, payload, keys)
        return True

    def signature(self, sha256: str) -> tuple[str, bytes] | None:
        """Return a model's signature, unverified, and its path in the home; None if it has none."""
        with unavailable_on_os_error(self._path(sha256)):
            if self._path(sha256).is_file():
                return _shared_name(sha256), self._path(sha256).read_bytes()
        shared = None if self.bundles.shared is None else self.bundles.shared.get(_shared_name(sha256))
        return None if shared is None else (_shared_name(sha256), shared)

    def _sign(self, sha256: str, payload: bytes, keys: SigningKeys) -> None:
        signature, path = keys.sign(payload), self._path(sha256)
        with unavailable_on_os_error(path):
            write_atomically(path, signature)
        if self.bundles.shared is not None:
            try:
                self.bundles.shared.put(_shared_name(sha256), signature)
            except ArtifactStoreAway as error:
                raise ArtifactStoreAway(
                    f"The model was not signed, since {error}: try again when it is back. Nothing was changed."
                ) from error

    def _is_signed(self, sha256: str, payload: bytes, keys: SigningKeys) -> bool:
        path = self._path(sha256)
        with unavailable_on_os_error(path):
            if path.is_file() and keys.accept(payload, path.read_bytes()):
                return True
        if self.bundles.shared is None:
            return False
        try:
            signature = self.bundles.shared.get(_shared_name(sha256))
        except ArtifactStoreAway as error:
            raise ArtifactStoreAway(
                f"The model's signature is not on this server yet, and {error}: try again when it is back."
            ) from error
        if signature is None or not keys.accept(payload, signature):
            return False
        with suppress(OSError):
            write_atomically(path, signature)
        return True

    def _path(self, sha256: str) -> Path:
        return self.home / _SIGNATURES / f"{sha256}.hmac"


def _shared_name(sha256: str) -> str:
    return f"{_SIGNATURES}/{sha256}.hmac"
