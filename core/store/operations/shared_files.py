"""Artifacts by URL: files that several servers share, in a shared folder or an object store such as S3."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from core.errors import ArtifactStoreAway, StoreUnavailable
from core.store.base.artifacts import SharedFiles, holds_content, make_private_folder, write_atomically

VARIABLE: Final = "DOORSTEP_ARTIFACTS"

_PATIENCE: Final = {"connect_timeout": 5, "read_timeout": 30, "retries": {"max_attempts": 2}}


def shared_files(address: str) -> SharedFiles | None:
    """Return the place that DOORSTEP_ARTIFACTS names, None for "": then the home alone has the artifacts.

    Raises StoreUnavailable if it is no such address, has a password in it, or needs a package that is not installed.
    """
    if not address:
        return None
    url = urlsplit(address)
    if "@" in url.netloc or url.query:
        raise StoreUnavailable(
            f"{VARIABLE} has credentials in it. Leave them out: S3 takes them from AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or from the account's own settings."
        )
    if url.scheme == "file" and url.netloc in ("", "localhost") and url.path.startswith("/"):
        return SharedFolder(Path(unquote(url.path)))
    if url.scheme in ("", "file") or not url.netloc:
        raise StoreUnavailable(
            f"{VARIABLE} is not an address of artifacts; write file:///folder or s3://bucket/prefix, or unset it to "
            "keep them in DOORSTEP_HOME alone."
        )
    _check_service(address)
    return ObjectStore(address)


def _check_service(address: str) -> None:
    """Raise StoreUnavailable unless fsspec knows the service of an address and the service's package is installed."""
    try:
        import fsspec  # noqa: PLC0415 - only those with an object store have it

        fsspec.get_filesystem_class(address.partition("://")[0])
    except (ImportError, ValueError) as error:
        raise StoreUnavailable(
            f"The artifact store {address} is of no service that is installed. For S3, run: pip install "
            f"'doorstep[s3]'; or write file:///folder, or unset {VARIABLE}."
        ) from error


class SharedFolder:
    """A folder that every server has mounted. It must exist: one made here would take files that nobody else sees."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.label = folder.as_uri()

    def put(self, name: str, payload: bytes) -> None:
        """Write a file whole and durably, unless it is there with this content."""
        target = self._folder / name
        try:
            self.check()
            if not holds_content(target, payload):
                make_private_folder(target.parent)
                write_atomically(target, payload)
        except OSError as error:
            raise _away(self.label, error) from error

    def get(self, name: str) -> bytes | None:
        """Return a file's content; an empty folder counts as away, since it may be unmounted."""
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError as error:
            if not (self._folder.is_dir() and any(self._folder.iterdir())):
                raise _away(self.label, error) from error
            return None
        except OSError as error:
            raise _away(self.label, error) from error

    def size(self, name: str) -> int | None:
        """Return a file's size in bytes, None if it is not there."""
        try:
            return (self._folder / name).stat().st_size
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _away(self.label, error) from error

    def check(self) -> None:
        """Raise ArtifactStoreAway unless the folder exists."""
        if not self._folder.is_dir():
            raise ArtifactStoreAway(f"the artifact store {self.label} cannot be reached (there is no such folder)")


class ObjectStore:
    """A bucket and prefix of an object store that fsspec knows, such as S3; it opens when it is first used."""

    def __init__(self, address: str) -> None:
        self.label = address.rstrip("/")
        self._files: Any = None

    def put(self, name: str, payload: bytes) -> None:
        """Write a file; object stores show it whole or not at all."""
        try:
            self._system().pipe_file(self._path(name), payload)
        except Exception as error:
            raise _away(self.label, error) from error

    def get(self, name: str) -> bytes | None:
        """Return a file's content; an empty place counts as away, since it may be another one."""
        try:
            return bytes(self._system().cat_file(self._path(name)))
        except FileNotFoundError as error:
            if not self._has_any():
                raise _away(self.label, error) from error
            return None
        except StoreUnavailable:
            raise
        except Exception as error:
            raise _away(self.label, error) from error

    def size(self, name: str) -> int | None:
        """Return a file's size in bytes, None if it is not there; as it is now, not as an earlier listing had it."""
        try:
            self._system().invalidate_cache()
            return int(self._system().info(self._path(name))["size"])
        except FileNotFoundError:
            return None
        except StoreUnavailable:
            raise
        except Exception as error:
            raise _away(self.label, error) from error

    def check(self) -> None:
        """Raise ArtifactStoreAway unless the bucket can be listed."""
        try:
            self._system().invalidate_cache()
            self._system().ls(self._path("").partition("/")[0])
        except StoreUnavailable:
            raise
        except Exception as error:
            raise _away(self.label, error) from error

    def _has_any(self) -> bool:
        try:
            self._system().invalidate_cache()
            return bool(self._system().exists(self._path("")))
        except Exception as error:
            raise _away(self.label, error) from error

    def _path(self, name: str) -> str:
        return f"{self.label.partition('://')[2]}/{name}".rstrip("/")

    def _system(self) -> Any:
        """Return fsspec's file system.

        Each service behind it raises errors of its own, of no common base, hence the broad excepts.
        """
        if self._files is None:
            scheme = self.label.partition("://")[0]
            options = {"config_kwargs": _PATIENCE} if scheme == "s3" else {}
            import fsspec  # noqa: PLC0415 - only those with an object store have it

            # A connection of fsspec's own cache would keep an address of S3 that has changed since.
            self._files = fsspec.filesystem(scheme, skip_instance_cache=True, **options)
        return self._files


def _away(label: str, error: Exception) -> Exception:
    """Return what to raise; the service's own message may have addresses and keys in it, so only its kind is named."""
    if isinstance(error, StoreUnavailable):
        return error
    return ArtifactStoreAway(f"the artifact store {label} cannot be reached ({type(error).__name__})")
