"""What somebody else charges for tokens: a quoted price, with who quoted it and when."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class TokenQuote:
    """Dollars for a million tokens at one `provider`. `cached_per_million`: for input that it had
    cached, None where it makes no difference or is not told."""

    provider: str
    input_per_million: Decimal
    output_per_million: Decimal
    cached_per_million: Decimal | None
    source: str
    date: dt.date
