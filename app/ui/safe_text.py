"""Model output as Markdown that can only be text: nothing loads, nothing runs, nothing is restyled.

Markdown that Streamlit shows is rich: images are fetched, diagrams may hold images, directives
colour text, dollar signs become formulae, "--" becomes a dash. An answer may keep its headings,
lists, tables, emphasis, code and http(s) links; everything else is shown as it was written.

How: outside code, an invisible joiner is put into every opening that could do harm, so
that it is no opening any more. Code is left alone only where it cannot be anything else: after a
doubtful fence (in a list, with tabs, …) the rest of the answer is treated as text, fence or not,
and so is a code span that an escape, a cell or a line before may have cut in another way. What
merely looks different (formulae, arrows, emoji) is undone outside code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Zero width no-break space: has no width, breaks no line, and counts as a space to the renderer,
# which takes any other invisible character as the first letter of a directive's name.
JOINER = "\ufeff"

_FENCE = re.compile(r"^( {0,3})(`{3,}|~{3,})[ \t]*(.*?)[ \t]*$")
_FENCE_ANYWHERE = re.compile(r"`{3}|~{3}")
_INFO_IN_DOUBT = re.compile(r"(`{3,}|~{3,})([^`~\n]*)$")
_PLAIN_INFO = re.compile(r"^[A-Za-z0-9+#_.-]{0,40}$")
_URL = re.compile(r"(https?://)([^\s<>()\[\]\"'`]*)", re.IGNORECASE)

_OPENINGS = re.compile(
    r"""
    !(?=\[)                                      # an image
    | \](?=:)                                    # a definition that an image or link could use
    | \](?=\()(?!\(\s*https?://[^\s<>()]+\s*\))  # a link to anything but the web, or with a title
    | <(?=[A-Za-z/!?])                           # HTML, and <autolinks>
    | (?<=\w)@(?=\w)                             # a mail address
    | :(?=[A-Za-z:_]|[^\x00-\x7f])              # :directives[…], :emoji:, javascript:
    | :(?=[\w+-]+[:\[{])                        # :+1: and :1[…]
    """,
    re.VERBOSE | re.IGNORECASE,
)
_CODE_SPAN = re.compile(r"(?<![`\\])(`+)(?!`)(?:.*?[^`])\1(?!`)")
_ARROWS = re.compile(r"(?:(?<=\s)|^)(<->|->|<-|--|>=|<=|~=)(?=\s|$)")
_TABLE_RULE = re.compile(r"^[\s|:-]+$")
_DOLLAR = re.compile(r"(\\*)\$")


@dataclass(frozen=True, slots=True)
class _Fence:
    indent: int
    marker: str

    def is_closed_by(self, line: str) -> bool:
        match = _FENCE.match(line)
        return (
            match is not None
            and not match[3]
            and match[2][0] == self.marker[0]
            and len(match[2]) >= len(self.marker)
            and (self.indent == 0 or len(match[1]) == self.indent)
        )

    def is_doubtful(self, line: str) -> bool:
        """Whether the renderer might end this fence here, and we would not know."""
        if self.indent == 0 or not line.strip():
            return False
        indent = len(line) - len(line.lstrip(" "))
        return indent < self.indent or bool(re.match(r"^\s*(`{3}|~{3})", line))


def safe_markdown(text: str) -> str:
    """`text` as Markdown for `st.markdown(…, unsafe_allow_html=False)`.

    It looks as it was written, and copied text differs from it by joiners at most; offer the
    raw answer for copying.
    """
    out: list[str] = []
    fence: _Fence | None = None
    in_doubt = False
    span_is_open = False
    for line in _lines(text):
        if fence is not None:
            if fence.is_closed_by(line):
                fence = None
                out.append(line)
                continue
            if not fence.is_doubtful(line):
                out.append(line)
                continue
            fence, in_doubt = None, True
        opening = None if in_doubt else _opening(line)
        if opening is not None:
            fence, shown = opening
            out.append(shown)
            continue
        in_doubt = in_doubt or bool(_FENCE_ANYWHERE.search(line))
        if in_doubt:
            out.append(_text_in_doubt(line))
            continue
        shown, has_backtick = _text(line, span_is_open=span_is_open)
        span_is_open = bool(line.strip()) and (span_is_open or has_backtick)
        out.append(shown)
    return "\n".join(out)


def plain_text_as_markdown(text: str) -> str:
    """`text` as one line without any Markdown: for names, labels, prompts and messages."""
    line = re.sub(r":(?=\S)", ":" + JOINER, " ".join(text.split()))
    line = _ARROWS.sub(lambda match: match[0][0] + JOINER + match[0][1:], line)
    line = re.sub(r"(?<=\w)@(?=\w)|(?<=www)\.", lambda match: match[0] + JOINER, line)
    line = re.sub(r"([\\`*_\[\]<>~$&|])", r"\\\1", line)
    return re.sub(r"^(\d+(?=[.)])|(?=[#+-]))", r"\1\\", line)


def plain_lines_as_markdown(text: str) -> str:
    """The same for text of several lines: prompts and errors keep their line breaks."""
    return "  \n".join(plain_text_as_markdown(line) for line in _lines(text))


def _lines(text: str) -> list[str]:
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "\ufffd", unified).split("\n")


def _opening(line: str) -> tuple[_Fence, str] | None:
    match = _FENCE.match(line)
    if match is None or (match[2][0] == "`" and "`" in match[3]):
        return None
    indent, marker, info = match.groups()
    return _Fence(len(indent), marker), f"{indent}{marker}{_language(info)}"


def _language(info: str) -> str:
    """The language of a fence; diagrams are shown as their source."""
    word = info.split()[0] if info.split() else ""
    return word if _PLAIN_INFO.match(word) and word.lower() != "mermaid" else "text"


def _text_in_doubt(line: str) -> str:
    line = _INFO_IN_DOUBT.sub(
        lambda match: match[1] + (_language(match[2]) if match[2].strip() else match[2]), line
    )
    return _without_openings(line)


def _text(line: str, *, span_is_open: bool) -> tuple[str, bool]:
    """A line outside fences, and whether a code span may go on in the next one."""
    if _TABLE_RULE.match(line):
        return line, False
    pieces: list[str] = []
    end = 0
    outside = ""
    for span in _CODE_SPAN.finditer(line):
        before = line[end : span.start()]
        outside += before
        pieces.append(_without_openings(_as_written(before)))
        sure = not span_is_open and _is_surely_code(line, span)
        pieces.append(span[0] if sure else _without_openings(span[0]))
        end = span.end()
    pieces.append(_without_openings(_as_written(line[end:])))
    return "".join(pieces), "`" in outside + line[end:]


def _is_surely_code(line: str, span: re.Match[str]) -> bool:
    """Not where an escape, a table cell or a bare URL may have taken one of its backticks."""
    word_before = line[: span.start()].rpartition(" ")[2]
    return not (
        "|" in span[0]
        or "\\`" in line
        or "\t" in line
        or re.search(r"://|www\.", word_before, re.IGNORECASE)
    )


def _as_written(piece: str) -> str:
    """Formulae and arrows stay the characters that the model wrote."""
    piece = _DOLLAR.sub(
        lambda match: match[0] if len(match[1]) % 2 else f"{match[1]}\\$",
        piece,
    )
    return _ARROWS.sub(lambda match: match[0][0] + JOINER + match[0][1:], piece)


def _without_openings(line: str) -> str:
    pieces: list[str] = []
    end = 0
    for url in _URL.finditer(line):
        pieces += [line[end : url.start()], url[1] + re.sub(r":(?=[A-Za-z:_+-])", "%3A", url[2])]
        end = url.end()
    pieces.append(line[end:])
    return _OPENINGS.sub(lambda match: match[0] + JOINER, "".join(pieces))
