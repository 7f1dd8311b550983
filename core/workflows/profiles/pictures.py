"""Photos and logos as uploaded: checked, made small and written anew, so that nothing of the file itself is kept."""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from PIL import Image, ImageOps

from core.errors import InvalidRecord

UPLOAD_MAX: Final = 8_000_000
"""The most bytes of an uploaded picture."""

TYPES: Final = ("png", "jpg", "jpeg")
"""The endings of the files that can be uploaded."""

_FORMATS: Final = ("PNG", "JPEG")
_PIXELS_MAX: Final = 50_000_000
_SIDE_MIN: Final = 16
# What a printed report shows at 300 dots an inch.
_PHOTO: Final = (480, 480)
# Of a wide photo the middle, of a tall one the top: there is the head.
_KEPT: Final = (0.5, 0.0)
_LOGO: Final = (900, 360)
_STORED_MAX: Final = 400_000
_QUALITY: Final = 85


def name_of(content: bytes) -> str:
    """Return the name under which a picture is stored: its SHA-256."""
    return hashlib.sha256(content).hexdigest()


def photo(payload: bytes) -> bytes:
    """Return a photo as a small square JPEG, cut at both sides or at the foot; raises InvalidRecord."""
    with _opened(payload, "The photo") as picture:
        square = _least(_PHOTO, picture)
        return _jpeg(ImageOps.fit(_on_white(picture), square, Image.Resampling.LANCZOS, centering=_KEPT))


def logo(payload: bytes) -> bytes:
    """Return a logo in its own shape, as a PNG if it is see-through, else as a JPEG; raises InvalidRecord."""
    with _opened(payload, "The logo") as picture:
        picture.thumbnail(_LOGO, Image.Resampling.LANCZOS)
        if picture.mode == "RGBA":
            written = io.BytesIO()
            picture.save(written, "PNG", optimize=True)
            if written.tell() <= _STORED_MAX:
                return written.getvalue()
        return _jpeg(_on_white(picture))


@contextmanager
def _opened(payload: bytes, what: str) -> Iterator[Image.Image]:
    """Open a picture, upright and in RGB or RGBA; raises InvalidRecord for all that is none or too large."""
    if len(payload) > UPLOAD_MAX:
        raise InvalidRecord(
            f"{what} has {len(payload) / 1e6:,.1f} MB; the limit is {UPLOAD_MAX / 1e6:.0f} MB. Save it smaller."
        )
    unusable = InvalidRecord(f"{what} is not a PNG or JPEG picture, or it is damaged. Save it as one of these.")
    try:
        with warnings.catch_warnings():
            # Pillow warns of large pictures by their header; the limit here is lower than where it refuses.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(payload), formats=_FORMATS)
    except Image.DecompressionBombError as error:
        raise InvalidRecord(f"{what} has too many pixels; the limit is {_PIXELS_MAX:,}. Save it smaller.") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise unusable from error
    with picture:
        _check_size(picture, what)
        try:
            # A JPEG is read at a fraction of its size where that is enough.
            picture.draft("RGB", (2 * _LOGO[0], 2 * _LOGO[0]))
            upright = ImageOps.exif_transpose(picture)
            yield upright.convert("RGBA" if _is_see_through(upright) else "RGB")
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise unusable from error


def _check_size(picture: Image.Image, what: str) -> None:
    wide, high = picture.size
    if wide * high > _PIXELS_MAX:
        raise InvalidRecord(
            f"{what} has {wide:,} by {high:,} pixels; the limit is {_PIXELS_MAX:,} in all. Save it smaller."
        )
    if min(wide, high) < _SIDE_MIN:
        raise InvalidRecord(
            f"{what} has {wide:,} by {high:,} pixels; the least is {_SIDE_MIN} a side. Take a larger one."
        )


def _is_see_through(picture: Image.Image) -> bool:
    return picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode != "RGBA":
        return picture
    ground = Image.new("RGBA", picture.size, "white")
    ground.alpha_composite(picture)
    return ground.convert("RGB")


def _least(wanted: tuple[int, int], picture: Image.Image) -> tuple[int, int]:
    """Return a square no larger than wanted, and than the picture."""
    side = min(*wanted, *picture.size)
    return side, side


def _jpeg(picture: Image.Image) -> bytes:
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=_QUALITY, optimize=True)
    return written.getvalue()
