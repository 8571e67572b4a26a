"""What stands under the tables: whatever a reader must know to believe them, and of whom."""

from __future__ import annotations

from app.bench.experiments.samples import PassResult
from app.bench.experiments.words import remarks
from app.bench.quality.figures import IS_REFERENCE, unmeasured
from tests.bench.experiments.made_up import MS, findings

TYPICAL = ({"ttft_ns": 5 * MS}, {"ttft_ns": 6 * MS})


def test_a_reason_names_the_setups_that_it_is_true_of() -> None:
    kl = {0: unmeasured(("kl_per_token",), IS_REFERENCE), 1: unmeasured(("kl_per_token",), "why")}
    both = dict.fromkeys((0, 1), unmeasured(("accuracy",), "no answers are known"))
    passes = [PassResult("quality", {index: (*kl[index], *both[index]) for index in (0, 1)})]
    told = remarks(findings(*TYPICAL, passes=passes))
    label = findings(*TYPICAL).setups[1].label
    assert f"{label}: KL per token: not measured: why." in told
    assert "Right answers: not measured: no answers are known." in told
    assert not any(IS_REFERENCE in one for one in told)


def test_a_pass_that_is_missing_is_told() -> None:
    wanted = {"quality": True, "energy": True}
    made = [PassResult("quality", dict.fromkeys((0, 1), unmeasured(("perplexity",), "why")))]
    told = remarks(findings(*TYPICAL, passes=made, plan=wanted))
    assert "The energy pass has not been made." in told
    assert not any("quality pass" in one for one in told)
