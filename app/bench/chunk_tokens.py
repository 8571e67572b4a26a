"""How many tokens each chunk of an answer holds, where a server tells only how many there were."""

from __future__ import annotations

from collections.abc import Sequence

from backends.request import Chunk


def chunk_tokens(chunks: Sequence[Chunk], output_tokens: int | None) -> list[int]:
    """Tokens of each chunk: its ids where they are known, or what the server told of it, else its
    share of `output_tokens`.

    A server's chunks are seldom its tokens. Where there are as many as tokens, or one less (the end
    of the turn has no text), each is one; otherwise they are shared by length of text. Only the
    first chunk's share enters a figure, since TPOT leaves it out.
    """
    if any(chunk.token_ids is not None for chunk in chunks):
        return [len(chunk.token_ids or ()) for chunk in chunks]
    if are_told(chunks):
        return [chunk.tokens or 0 for chunk in chunks]
    lengths = [len(chunk.text) for chunk in chunks]
    if output_tokens is None or not any(lengths):
        return [0] * len(chunks)
    places = [index for index, length in enumerate(lengths) if length]
    if output_tokens - len(places) in (0, 1):
        shares = [1 if length else 0 for length in lengths]
        shares[places[-1]] += output_tokens - len(places)
        return shares
    shares = _by_length(lengths, output_tokens)
    if not shares[places[0]]:  # the text that came first was a token at least
        shares[shares.index(max(shares))] -= 1
        shares[places[0]] = 1
    return shares


def are_told(chunks: Sequence[Chunk]) -> bool:
    """Whether the server told of each chunk with text how many tokens it is."""
    texts = [chunk for chunk in chunks if chunk.text]
    return bool(texts) and all(chunk.tokens is not None for chunk in texts)


def _by_length(lengths: Sequence[int], total: int) -> list[int]:
    """Whole numbers in proportion to the lengths, whose sums never stray by more than a half."""
    everything, so_far, shared, shares = sum(lengths), 0, 0, []
    for length in lengths:
        so_far += length
        until_here = round(total * so_far / everything)
        shares.append(until_here - shared)
        shared = until_here
    return shares
