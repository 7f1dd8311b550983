"""Photos and logos: made small and written anew, and every hostile file refused in a sentence."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from core.errors import InvalidRecord
from core.workflows.profiles.pictures import UPLOAD_MAX, logo, photo
from tests.serve.report.report_samples import picture


def written(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def bomb(wide: int, high: int) -> bytes:
    """A PNG of a few kilobytes that says it has many pixels."""
    header = struct.pack(">IIBBBBB", wide, high, 8, 2, 0, 0, 0)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(9_999)))
        + chunk(b"IEND", b"")
    )


def test_a_photo_becomes_a_small_square_jpeg_and_a_logo_keeps_its_shape_and_what_shines_through() -> None:
    square = opened(photo(picture(3_000, 2_000)))
    assert (square.format, square.size) == ("JPEG", (480, 480))
    portrait = Image.new("RGB", (600, 900), "white")
    portrait.paste("red", (0, 0, 600, 300))
    greens = opened(photo(written(portrait, "PNG"))).getchannel("G").resize((1, 480)).tobytes()
    reds = [greens[high] < 128 for high in (2, 120, 230, 250)]
    assert reds == [True, True, True, False], "the top third of a portrait, where the head is, stays whole"
    wide = opened(logo(picture(2_000, 500, "PNG")))
    assert (wide.format, wide.mode, wide.size) == ("PNG", "RGBA", (900, 225))
    assert opened(logo(picture(2_000, 500))).format == "JPEG"
    assert opened(photo(picture(60, 40))).size == (40, 40), "a small one is not blown up"


def test_nothing_else_of_the_file_is_kept() -> None:
    exif = Image.Exif()
    exif[0x010E] = "taken at home, 47.6587 -122.3362"
    exif[0x0112] = 6
    taken = written(Image.new("RGB", (400, 300), "red"), "JPEG", exif=exif) + b"<script>alert(1)</script>"
    noted = PngInfo()
    noted.add_text("Comment", "a secret")
    for content in (photo(taken), logo(taken), logo(written(Image.new("RGBA", (60, 40)), "PNG", pnginfo=noted))):
        assert not [word for word in (b"taken at", b"script", b"secret", b"Exif") if word in content]
    # The photo is turned as the camera noted it.
    assert opened(logo(taken)).size == (270, 360)


def test_a_noisy_see_through_logo_stays_small() -> None:
    noise = Image.effect_noise((900, 360), 200).convert("RGBA")
    noise.putalpha(Image.effect_noise((900, 360), 200))
    assert len(logo(written(noise, "PNG"))) < 400_000


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (b"", "not a PNG or JPEG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "not a PNG or JPEG"),
        (b"%PDF-1.7", "not a PNG or JPEG"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 50, "not a PNG or JPEG"),
        (picture(300, 300)[:900], "not a PNG or JPEG"),
        (written(Image.new("RGB", (60, 60)), "GIF"), "not a PNG or JPEG"),
        (written(Image.new("RGB", (60, 60)), "TIFF"), "not a PNG or JPEG"),
        (b"x" * (UPLOAD_MAX + 1), "8.0 MB; the limit is 8 MB"),
        (bomb(40_000, 40_000), "too many pixels; the limit is 50,000,000|40,000 by 40,000 pixels"),
        (bomb(9_000, 9_000), "9,000 by 9,000 pixels; the limit is 50,000,000"),
        (bomb(2_000, 2_000), "not a PNG or JPEG"),
        (picture(8, 300), "8 by 300 pixels; the least is 16"),
    ],
)
def test_a_hostile_file_is_refused_with_what_helps(payload: bytes, message: str) -> None:
    for make, what in ((photo, "The photo"), (logo, "The logo")):
        with pytest.raises(InvalidRecord, match=message) as refused:
            make(payload)
        assert str(refused.value).startswith(what)
