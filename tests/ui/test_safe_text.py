"""Model output becomes Markdown that can only be text."""

from __future__ import annotations

import pytest

from app.ui.safe_text import JOINER, plain_text_as_markdown, safe_markdown


def written(markdown: str) -> str:
    """What a reader sees: joiners have no width, and an escaped dollar is a dollar."""
    return markdown.replace(JOINER, "").replace("\\$", "$")


@pytest.mark.parametrize(
    "text",
    [
        "Plain words, **bold**, _emphasis_, and 3 * 4 < 5.",
        "# Heading\n\n1. one\n2. two\n   - nested\n\n> quoted",
        "| a | b |\n| -- | :-: |\n| 1 | 2 |",
        "`x = y[0]`, `vec![1]`, `std::vec<int>` and `$HOME`",
        "See https://example.org/a?b=c&d=1 and [the page](https://example.org/x).",
        "```python\nprint('![x](http://a) $5 :red[x]')\n```\n\nDone at 10:30.",
        "~~~\n<b>code</b>\n~~~",
        "````\n```\nstill code: ![x](http://a)\n````\n",
        "",
    ],
)
def test_ordinary_markdown_is_kept_to_the_letter(text: str) -> None:
    assert safe_markdown(text) == text


@pytest.mark.parametrize(
    ("text", "live"),
    [
        ("![cat](https://evil.test/x.png)", "!["),
        ("![cat][ref]\n\n[ref]: https://evil.test/x.png", "!["),
        ("![ref]\n\n[ref]: https://evil.test/x.png", "]:"),
        ("[![x](https://evil.test/a.png)](https://evil.test)", "!["),
        ("<img src=https://evil.test/x.png>", "<i"),
        ("<script>alert(1)</script>", "<s"),
        ("</div>", "</"),
        ("<!-- hidden -->", "<!"),
        ("<https://evil.test/>", "<h"),
        ("[click](javascript:alert(1))", "]("),
        ("[click]( javascript:alert(1))", "]("),
        ("[click](/runs?delete=all)", "]("),
        ("[click](//evil.test)", "]("),
        ("[click](<javascript:alert(1)>)", "]("),
        ("[click][x]\n\n[x]: javascript:alert(1)", "]:"),
        ("write to someone@evil.test", "e@e"),
        (":red[alarm]", ":r"),
        (":color[alarm]{foreground=red}", ":c"),
        (":material/delete: :streamlit: :smile:", ":m"),
        (":+1:", ":+"),
        (":1[alarm]", ":1"),
        (":\u00e9[alarm]", ":\u00e9"),
        (":::note\ntext", "::n"),
    ],
)
def test_an_opening_that_could_do_harm_is_none_any_more(text: str, live: str) -> None:
    safe = safe_markdown(text)
    assert live in text
    assert live not in safe
    assert written(safe) == text


@pytest.mark.parametrize(
    "before",
    [
        "> ```\n",
        "- ```\n  ```\n",
        "- a\n\n  ```\n",
        "- a\n\n    ```\n```\n",
        "1. a\n\n   ```\n   code\n  ```\n",
        "<div>\n```\n```\n",
        "$$\n```\n$$\n```\n",
        "\t```\n",
        "```a`b\n",
        "a ` b\n` ",
        "\\\\`a` ",
        "| a ` | ",
        "https://a.test/` ",
        "``` ```\n",
        "~~~ `\n~~~\n` x\n` ",
        "[^1]: ```\n",
        "\r```\r\r```\r",
        "```\n```\n",
        "```\n   ```\n",
    ],
)
def test_no_code_that_only_we_believe_in_hides_an_image(before: str) -> None:
    """Each `before` looks like the start of code to a careless reader, and is none when it ends."""
    assert "![" not in safe_markdown(before + "![x](https://evil.test/x.png) `")


@pytest.mark.parametrize(
    "text",
    ["It costs $5 and $x$", "$$\nx^2\n$$", "a -> b", "a -- b", "x >= y <= z", "already \\$5"],
)
def test_characters_stay_those_that_the_model_wrote(text: str) -> None:
    safe = safe_markdown(text)
    assert "$" not in safe.replace("\\$", "")
    for arrow in (" -> ", " -- ", " >= ", " <= "):
        assert arrow not in safe
    assert written(safe) == text.replace("\\$", "$")


def test_a_diagram_is_shown_as_its_source() -> None:
    safe = safe_markdown('```mermaid\nA@{ img: "https://evil.test/x.png" }\n```')
    assert safe.startswith("```text\n")
    assert "mermaid" not in safe_markdown("```&#109;ermaid\nA\n```")
    assert "mermaid" not in safe_markdown("- ```mermaid\n  A\n  ```")
    assert safe_markdown("```mer") == "```mer"


def test_unfinished_markdown_of_a_stream_is_safe_at_every_length() -> None:
    text = "Look:\n\n```py\n![a](b)\n```\n\n![x](https://evil.test/x.png) and <img src=x>"
    for length in range(len(text) + 1):
        safe = safe_markdown(text[:length])
        assert "![x" not in safe
        assert "<im" not in safe


def test_a_colon_in_a_web_address_does_not_break_it() -> None:
    assert (
        safe_markdown("https://example.org/wiki/Help:Contents")
        == "https://example.org/wiki/Help%3AContents"
    )


def test_control_characters_are_shown_as_unknown() -> None:
    assert safe_markdown("a\x00b\x1b[31mc\r\nd") == "a\ufffdb\ufffd[31mc\nd"


def test_a_label_has_no_markdown_left() -> None:
    shown = plain_text_as_markdown("*a* [b](http://c) :red[d] `e`\n# f -> $5$")
    assert written(shown).replace("\\", "") == "*a* [b](http://c) :red[d] `e` # f -> $5$"
    assert "[b]" not in shown
    assert ":r" not in shown


@pytest.mark.parametrize("text", ["1. one", "2) two", "# three", "- four", "+ five", "-- six"])
def test_a_label_starts_no_block(text: str) -> None:
    shown = plain_text_as_markdown(text)
    assert written(shown).replace("\\", "") == text
    assert "\\" in shown[:3]


def test_a_plain_sentence_stays_as_it_is() -> None:
    assert (
        plain_text_as_markdown("It was killed (9). Ask again!") == "It was killed (9). Ask again!"
    )
