"""No price until someone sets one; the user's goes before the setting; edits are kept."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from app.bench.prices import PriceBook, hosted_price, suggestions, table
from app.bench.record import Price
from backends.errors import InvalidRequest, NotRecorded
from backends.settings import Settings
from tests.bench.disks import fill, read_only, small_disk


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


def test_by_default_nothing_has_a_price(settings: Settings) -> None:
    assert PriceBook.load(settings).price_for("Tesla T4") is None


def test_a_price_is_kept_with_its_source_and_date(settings: Settings) -> None:
    date = dt.date(2026, 11, 1)
    set_ = PriceBook.load(settings).set_price("Tesla T4", "0.40", "the bill", date)
    found = PriceBook.load(settings).price_for("tesla  t4")
    assert found == set_
    assert found is not None
    assert (found.dollars_per_hour, found.source, found.date) == (Decimal("0.40"), "the bill", date)


def test_a_price_set_by_the_user_goes_before_the_setting_until_it_is_cleared(
    tmp_path: Path,
) -> None:
    book = PriceBook.load(Settings(data_dir=tmp_path, hourly_price=Decimal("2")))
    from_setting = book.price_for("cpu")
    assert from_setting is not None
    assert from_setting.source == "DYNO_HOURLY_PRICE"
    book.set_price("cpu", "0")
    mine = book.price_for("cpu")
    assert mine is not None
    assert mine.dollars_per_hour == 0
    book.clear_price("cpu")
    assert book.price_for("cpu") == from_setting


@pytest.mark.parametrize("text", ["0.40", " 0.40 ", "$0.40", "$ 0.40", "4e-1"])
def test_dollars_are_read_as_people_type_them(settings: Settings, text: str) -> None:
    price = PriceBook.load(settings).set_price("cpu", text)
    assert price.dollars_per_hour == Decimal("0.4")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not a number"),
        ("cheap", "not a number"),
        ("0,40", "not a number"),
        ("1 2", "not a number"),
        ("nan", "finite"),
        ("inf", "finite"),
        ("-Infinity", "finite"),
        ("-1", "negative"),
        ("1e999999", "above"),
        ("1e-999999", "decimals"),
        ("0.0000001", "decimals"),
    ],
)
def test_what_is_no_price_is_refused_with_a_remedy(
    settings: Settings, text: str, words: str
) -> None:
    book = PriceBook.load(settings)
    with pytest.raises(InvalidRequest, match=words) as caught:
        book.set_price("cpu", text)
    assert "0.40" in caught.value.remedy
    assert book.price_for("cpu") is None


def test_two_processes_that_set_prices_keep_both(settings: Settings) -> None:
    one, two = PriceBook.load(settings), PriceBook.load(settings)
    one.set_price("cpu", "1")
    two.set_price("cuda:0", "2")
    again = PriceBook.load(settings)
    assert again.price_for("cpu") is not None
    assert again.price_for("cuda:0") is not None


def test_what_another_process_changed_meanwhile_stays_changed(settings: Settings) -> None:
    one = PriceBook.load(settings)
    one.set_price("cpu", "1")
    one.set_price("mps", "1")
    two = PriceBook.load(settings)
    two.set_price("cpu", "2")
    two.clear_price("mps")
    one.set_price("cuda:0", "3")
    for book in (one, PriceBook.load(settings)):
        assert book.names() == ["cpu", "cuda:0"]
        price = book.price_set_for("cpu")
        assert isinstance(price, Price)
        assert price.dollars_per_hour == 2


def test_in_a_read_only_folder_a_price_applies_but_is_said_not_to_be_kept(
    settings: Settings,
) -> None:
    settings.data_dir.mkdir()
    with read_only(settings.data_dir):
        book = PriceBook.load(settings)
        with pytest.raises(NotRecorded) as caught:
            book.set_price("cpu", "0.40")
        assert "applies now" in caught.value.message
        assert caught.value.remedy
        assert book.price_for("cpu") is not None
    assert PriceBook.load(settings).price_for("cpu") is None


def test_a_full_disk_keeps_the_prices_that_were_there(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as folder:
        book = PriceBook.load(Settings(data_dir=folder))
        book.set_price("cpu", "1")
        fill(folder)
        with pytest.raises(NotRecorded):
            book.set_price("cpu", "2")
        kept = PriceBook.load(Settings(data_dir=folder)).price_for("cpu")
        assert kept is not None
        assert kept.dollars_per_hour == 1


def test_a_broken_file_of_prices_is_said_and_sets_no_price(settings: Settings) -> None:
    settings.data_dir.mkdir()
    (settings.data_dir / "prices.json").write_text("{broken")
    book = PriceBook.load(settings)
    assert book.price_for("cpu") is None
    assert "cannot be read" in book.problem
    book.set_price("cpu", "1")
    assert book.problem == ""
    assert PriceBook.load(settings).names() == ["cpu"]
    assert (settings.data_dir / "prices.json.unreadable").read_text() == "{broken"


def test_every_price_of_the_table_is_dated_and_has_a_source() -> None:
    assert table()
    for one in table():
        assert one.source == "Hugging Face Spaces documentation"
        assert one.date == dt.date(2026, 11, 1)


@pytest.mark.parametrize(
    ("device", "titles"),
    [
        ("Tesla T4", ["T4 small", "T4 medium"]),
        ("NVIDIA L4", ["L4"]),
        ("NVIDIA L40S", ["L40S"]),
        ("NVIDIA A10G", ["A10G small", "A10G large"]),
        ("NVIDIA A100-SXM4-80GB", ["A100 large (lowest seen)", "A100 large (highest seen)"]),
        ("NVIDIA H100 80GB HBM3", ["H100"]),
        ("NVIDIA H200", []),
        ("NVIDIA A10", []),
        ("Intel(R) Xeon(R) Processor, 2 cores", ["CPU upgrade", "CPU basic (free)"]),
        ("Apple M3", []),
    ],
)
def test_suggestions_are_for_the_same_hardware_only(device: str, titles: list[str]) -> None:
    assert [one.title for one in suggestions(device)] == titles


def test_what_a_server_charges_by_token_is_kept_beside_the_prices_of_devices(
    settings: Settings,
) -> None:
    book = PriceBook.load(settings)
    book.set_price("cpu", "0.40")
    made = book.set_token_price("http://there/v1 m", "0.15", "$0.60")
    assert (made.input_per_million, made.output_per_million) == (Decimal("0.15"), Decimal("0.60"))
    assert made.cached_per_million is None
    kept = PriceBook.load(settings)
    assert kept.price_set_for("HTTP://there/v1 m") == made
    assert kept.names() == ["cpu", "http://there/v1 m"]
    kept.clear_price("http://there/v1 m")
    assert PriceBook.load(settings).names() == ["cpu"]


def test_a_token_price_that_is_none_is_refused_in_its_own_words(settings: Settings) -> None:
    book = PriceBook.load(settings)
    with pytest.raises(InvalidRequest, match="not a number") as caught:
        book.set_token_price("there", "0.15", "")
    assert "million tokens" in caught.value.remedy
    assert book.price_set_for("there") is None


def test_the_table_quotes_hosts_with_source_and_date() -> None:
    quoted = hosted_price("together", "Qwen/Qwen2.5-7B-Instruct")
    assert quoted is not None
    assert quoted.source
    assert quoted.date <= dt.datetime.now(dt.UTC).date()
    assert hosted_price("together", "Qwen/Qwen2.5-7B-Instruct-GPTQ-Int4") is None
    assert hosted_price("another", "Qwen/Qwen2.5-7B-Instruct") is None
