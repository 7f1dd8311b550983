"""The keys that sign model files; they are kept outside the store's folder and its database."""

from __future__ import annotations

import hmac
import os
import re
import secrets
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.errors import StoreUnavailable
from core.store.base.artifacts import make_private_folder, sync_folder, unavailable_on_os_error

KEY: Final = "DOORSTEP_SIGNING_KEY"
KEY_FILE: Final = "DOORSTEP_SIGNING_KEY_FILE"

_LENGTH_MIN: Final = 32
_BYTES: Final = 32


@dataclass(frozen=True)
class SigningKeys:
    """The keys whose signatures are accepted; the first one signs."""

    keys: tuple[bytes, ...]

    def sign(self, payload: bytes) -> bytes:
        """Return the signature of a file's bytes by the first key: HMAC-SHA256 (RFC 2104) in hexadecimal."""
        return hmac.digest(self.keys[0], payload, "sha256").hex().encode()

    def accept(self, payload: bytes, signature: bytes) -> bool:
        """Tell whether one of the keys made the signature of these bytes."""
        return any(
            hmac.compare_digest(hmac.digest(key, payload, "sha256").hex().encode(), signature.strip())
            for key in self.keys
        )

    def first(self) -> SigningKeys:
        """Return the key that signs, alone."""
        return SigningKeys(self.keys[:1])


def accepted_keys(home: Path) -> SigningKeys:
    """Return the keys of this server: of DOORSTEP_SIGNING_KEY and its file, else of the account's own key file.

    Without any, no signature is accepted. Raises StoreUnavailable for a key that is too short, a file that cannot be
    read, or one in the store's folder, where whoever swaps a model could sign it.
    """
    text, path = os.environ.get(KEY, ""), key_file()
    keys = _parsed(text, KEY)
    if path is None and not text.strip() and own_key_file().is_file():
        path = own_key_file()
    if path is not None:
        _refuse_inside(home, path)
        keys += _parsed(_read(path), f"The file {path}")
    return SigningKeys(keys)


def check_keys(home: Path) -> None:
    """Raise StoreUnavailable if this account has no key to sign with and could not make one; makes none."""
    if accepted_keys(home).keys:
        return
    if key_file() is not None:
        raise _no_key_in_file()
    path = own_key_file()
    _refuse_inside(home, path)
    folder = next(one for one in path.parents if one.exists())
    if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        raise StoreUnavailable(
            f"Neither {KEY} nor {KEY_FILE} is set, and a key cannot be made at {path}: {folder} cannot be written to. "
            f"Set {KEY_FILE}. {_HOW}"
        )


def keys_to_sign(home: Path) -> SigningKeys:
    """Return the keys of this server; the account's own key is made if there is none. Raises StoreUnavailable."""
    keys = accepted_keys(home)
    if keys.keys:
        return keys
    if key_file() is not None:
        raise _no_key_in_file()
    path = own_key_file()
    _refuse_inside(home, path)
    _make(path)
    return accepted_keys(home)


def key_file() -> Path | None:
    """Return the file that DOORSTEP_SIGNING_KEY_FILE names, None if it is not set."""
    name = os.environ.get(KEY_FILE, "")
    return Path(name) if name else None


def own_key_file() -> Path:
    """Return the account's own key file, which is used where no key is configured; raises StoreUnavailable."""
    try:
        folder = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    except RuntimeError as error:
        raise StoreUnavailable(f"This account has no folder for its settings. Set {KEY_FILE}. {_HOW}") from error
    return folder / "doorstep" / "signing.key"


_HOW: Final = "Make a key with: openssl rand -hex 32."


def _no_key_in_file() -> StoreUnavailable:
    return StoreUnavailable(f"The file {key_file()} that {KEY_FILE} names has no key in it. {_HOW}")


def _parsed(text: str, where: str) -> tuple[bytes, ...]:
    keys = [one for one in re.split(r"[\s,]+", text) if one]
    for key in keys:
        if len(key) < _LENGTH_MIN:
            raise StoreUnavailable(
                f"{where} has a signing key that has {len(key)} characters; the least is {_LENGTH_MIN}, without spaces "
                f"or commas. {_HOW}"
            )
    return tuple(key.encode() for key in keys)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StoreUnavailable(
            f"The signing key file {path} cannot be read ({type(error).__name__}). Give the account Doorstep runs "
            f"under the right to read it, or name another file in {KEY_FILE}."
        ) from error


def _refuse_inside(home: Path, path: Path) -> None:
    if path.resolve().is_relative_to(home.resolve()):
        raise StoreUnavailable(
            f"The signing key file {path} is in the store's folder {home}, where whoever swaps a model could sign it. "
            f"Keep it elsewhere and name it in {KEY_FILE}."
        )


def _make(path: Path) -> None:
    """Write a new key, whole, unless another process was faster."""
    make_private_folder(path.parent)
    with unavailable_on_os_error(path):
        handle, name = tempfile.mkstemp(prefix=".tmp-", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(f"{secrets.token_hex(_BYTES)}\n")
                stream.flush()
                os.fsync(stream.fileno())
            with suppress(FileExistsError):
                os.link(name, path)
        finally:
            Path(name).unlink()
        sync_folder(path.parent)
