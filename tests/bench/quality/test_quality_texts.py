"""The text to score: dialogues that are bundled, or what a user brings."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.bench.quality.texts import (
    LEAST_CHARS,
    MAX_CHARS,
    MOST_CHARS,
    QualityTextInvalid,
    quality_pieces,
)


def test_the_bundled_text_is_held_out_dialogues_with_their_last_answer() -> None:
    pieces = quality_pieces()
    assert len(pieces) == 32
    assert all(one.after[-1].role == "user" and len(one.text) >= 80 for one in pieces)


def test_plain_text_is_cut_between_paragraphs_of_some_length(tmp_path: Path) -> None:
    file = tmp_path / "mine.txt"
    words = "word " * 100
    file.write_text(f"Title\n\n{words}\r\n\r\n{words}\n  \n{words * 8}\n\nEnd.", encoding="utf-8")
    pieces = [one.text for one in quality_pieces(str(file))]
    assert pieces[0].startswith("Title\n\nword")
    assert all(LEAST_CHARS <= len(one) <= MOST_CHARS for one in pieces[:-1])
    assert "".join(pieces).replace(" ", "").count("word") == 1_000
    assert not any(piece.after for piece in quality_pieces(str(file)))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.txt", b"\xff\xfe", "not UTF-8"),
        ("a.txt", b" \n\n ", "is empty"),
        ("a.txt", b"x" * (MAX_CHARS + 1), "200,001 characters"),
        ("a.jsonl", b'{"messages": [{"role": "user", "content": "?"}]}', "Line 1"),
        ("a.jsonl", b'{"text": 1}', "Line 1"),
    ],
)
def test_no_text_says_so(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(QualityTextInvalid, match=said):
        quality_pieces(str(tmp_path / name))
    with pytest.raises(QualityTextInvalid, match="cannot be read"):
        quality_pieces(str(tmp_path / "gone.txt"))
