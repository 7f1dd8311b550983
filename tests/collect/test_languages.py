"""Files with headers in the languages of large property portals are read, and no known header names a person."""

from __future__ import annotations

import pytest

from core.collect.privacy.read_file import without_persons
from core.collect.reading.reader import parse_table
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
