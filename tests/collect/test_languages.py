"""Files with headers in the languages of large property portals are read, and no known header names a person."""

from __future__ import annotations

import pytest

from core.collect.columns.candidates import field_of_header
from core.collect.columns.guess import guess_mapping
from core.collect.mapping import apply_mapping
from core.collect.privacy.read_file import without_persons
from core.collect.reading.reader import parse_table
from core.collect.vocabulary import load_vocabulary
from core.schema import Source
from tests.collect.table_files import as_text

FIELDS = ("address", "zipcode", "sale_date", "sale_price", "living_area_sqft", "bedrooms", "year_built")

HEADERS = {
    "Arabic": ("العنوان, الرمز البريدي, تاريخ البيع, السعر (درهم), المساحة (م²), عدد غرف النوم, سنة الإنشاء"),
    "Arabic without hamza": ("عنوان العقار, رمز بريدي, تاريخ العقد, ثمن البيع, مساحة الشقة, غرف النوم, سنة الانشاء"),
    "Vietnamese": ("Địa chỉ, Mã bưu chính, Ngày bán, Giá bán, Diện tích (m²), Số phòng ngủ, Năm xây dựng"),
    "Vietnamese of deeds": (
        "ĐỊA CHỈ, Mã bưu điện, Ngày ký hợp đồng, Giá giao dịch, Diện tích sử dụng, Phòng ngủ, Năm xây dựng"
    ),
    "Hindi": ("पता, पिन कोड, विक्रय तिथि, विक्रय मूल्य, क्षेत्रफल, शयनकक्ष, निर्माण वर्ष"),
    "Persian": ("آدرس, کد پستی, تاریخ فروش, قیمت فروش, متراژ, تعداد خواب, سال ساخت"),
    "Indonesian": ("Alamat, Kode pos, Tanggal jual, Harga jual, Luas bangunan, Kamar tidur, Tahun dibangun"),
    "Thai": ("ที่อยู่, รหัสไปรษณีย์, วันที่ขาย, ราคาขาย, พื้นที่ใช้สอย, ห้องนอน, ปีที่สร้าง"),
    "Korean": ("주소, 우편번호, 매매일, 매매가, 전용면적, 침실수, 건축년도"),
    "Chinese": ("地址, 邮编, 成交日期, 成交金额, 建筑面积, 卧室数, 建成年份"),
    "French": ("Adresse, Code postal, Date de signature, Prix net vendeur, Surface, Chambres, Année de construction"),
}


@pytest.mark.parametrize("language", HEADERS)
def test_the_columns_of_a_file_in_any_language_are_known_and_none_is_of_persons(language: str) -> None:
    rows = [
        [f"{n} Street {n % 7}", f"10{n % 9}04", f"2023-0{1 + n % 9}-1{n % 9}", str(310_000 + 1_700 * n)]
        for n in range(60)
    ]
    headers = HEADERS[language].split(", ")
    facts = [[str(55 + n), str(1 + n % 4), str(1960 + n % 50)] for n in range(60)]
    table = [headers, *([*row, *more] for row, more in zip(rows, facts, strict=True))]
    read = without_persons(parse_table(as_text(table).encode(), "sales"))
    assert read.personal == ()
    assert read.guess is not None
    found = {rule.column: rule.field for rule in read.guess.mapping.rules}
    assert found == dict(zip(headers, FIELDS, strict=True))


@pytest.mark.parametrize(
    "header", ["البائع", "مالك", "người bán", "विक्रेता", "मालिक का नाम", "البريد", "vendeur", "proprietário"]
)
def test_headers_of_persons_stay_such_in_these_languages(header: str) -> None:
    rows = [[str(300_000 + n), f"2023-03-{1 + n % 28:02}", f"Qwx{n} Zyv"] for n in range(30)]
    read = without_persons(parse_table(as_text([["Sale Price", "Sale Date", header], *rows]).encode(), "sales"))
    assert [one.column for one in read.personal] == [header]


USUAL = {
    "latitude": "Breitengrad, Geografische Breite, Latitud, Latitudine, Breedtegraad, Latitude",
    "longitude": "Längengrad, Geogr. Länge, Longitud, Longitudine, Lengtegraad, Longitude",
    "lot_area_sqft": "Grundstücksfläche, Terrain, Superficie parcela, Lotto, Kavel",
    "condition": "Zustand, État, Estado, Condizioni, Staat van onderhoud",
    "year_renovated": "Sanierungsjahr, Année de rénovation, Año de reforma, Anno ristrutturazione, Renovatiejaar",
    "garage_spaces": "Garagen, Places de parking, Garaje, Posti auto, Parkeerplaatsen",
    "property_id": "Flurstücksnummer, Numéro de parcelle, Referencia catastral, Particella, Perceelnummer",
    "list_date": "Inseratsdatum, Date de mise en vente, Fecha de publicación, Data annuncio, Aanmelddatum",
    "view": "Aussicht, Vue, Vistas, Panorama, Uitzicht",
    "grade": "Bauqualität, Qualité de construction, Calidad, Finiture, Bouwkwaliteit",
}


@pytest.mark.parametrize("field", USUAL)
def test_usual_headings_of_five_languages_name_their_field(field: str) -> None:
    source, vocabulary = Source.TAX if field == "property_id" else Source.SALES, load_vocabulary()
    assert {one: field_of_header(one, source, vocabulary) for one in USUAL[field].split(", ")} == dict.fromkeys(
        USUAL[field].split(", "), field
    )


@pytest.mark.parametrize(
    ("header", "step"), [("Nummer", 7_919_003), ("Référence", 104_729_003), ("Número", 15_485_863)]
)
def test_unique_numbers_under_a_heading_for_numbers_are_ids_and_no_phones(header: str, step: int) -> None:
    rows = [
        [
            str(2_023_049_218 + step * n),
            f"{10 + n % 19}.03.2024",
            str(300_000 + 1_377 * n),
            f"{47 + n / 997:.4f}",
            "PLZ",
        ]
        for n in range(80)
    ]
    table = [[header, "Verkaufsdatum", "Kaufpreis", "Breite", "Ort"], *rows]
    read = without_persons(parse_table(as_text(table).encode(), "sales"))
    assert read.personal == ()
    found = {rule.column: rule.field for rule in guess_mapping(read.table, Source.SALES).mapping.rules}
    assert found[header] == "property_id"
    assert found["Breite"] == "latitude"
    # The width of a lot is no latitude.
    wide = [table[0], *([*row[:3], f"{12 + n % 9}.5", *row[4:]] for n, row in enumerate(rows))]
    rules = guess_mapping(parse_table(as_text(wide).encode(), "sales"), Source.SALES).mapping.rules
    assert "latitude" not in {rule.field for rule in rules}


def test_one_price_of_a_million_settles_that_dots_group_the_prices_of_a_column() -> None:
    rows = [
        [
            f"{10 + n % 19}.03.2024",
            "1.035.000" if n == 70 else f"{200 + n}.{n % 9}00",
            f"{n % 4}.0",
            f"{n % 3}.5",
            "Kern",
        ]
        for n in range(80)
    ]
    table = [["Verkaufsdatum", "Kaufpreis", "Schlafzimmer", "Bäder", "Ort"], *rows]
    raw = parse_table(as_text(table).encode(), "sales")
    guess = guess_mapping(raw, Source.SALES)
    mapped = apply_mapping(raw, guess.mapping)
    assert mapped.frame["sale_price"].tolist()[69:72] == [269_600.0, 1_035_000.0, 271_800.0]
    assert mapped.frame["bedrooms"].tolist()[:3] == [0.0, 1.0, 2.0]
    assert any("groups thousands (as in 1.035.000" in str(one) for one in guess.mapping.inferences)
