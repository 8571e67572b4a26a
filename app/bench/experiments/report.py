"""An experiment as one HTML file that needs nothing else: no network, no other file.

All text is escaped by the template, scripts run only with the document's own nonce, and nothing may
be fetched (a content security policy says so to the browser).
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jinja2
from markupsafe import Markup

from app.bench.environment import commit
from app.bench.experiments.environments import facts
from app.bench.experiments.figure_text import scale_of, short_title
from app.bench.experiments.findings import Findings, provenance_of
from app.bench.experiments.passes import formula_of
from app.bench.experiments.plan import Plan, plan_toml
from app.bench.experiments.recommend import Recommendation
from app.bench.experiments.recommend_text import details, verdict
from app.bench.experiments.report_charts import panels
from app.bench.experiments.samples import MEDIANS, SetupFigure
from app.bench.experiments.statistics import MetricRatio
from app.bench.experiments.words import compared, ratio_text, remarks, sentences
from app.bench.figures import metric_named
from app.bench.format import counted, long_duration
from app.bench.quality.figures import IS_REFERENCE
from app.bench.record import RunRecord
from app.bench.store import Store
from backends.setup import Setup

_PAGE = Path(__file__).with_name("report_page")
_METHOD = (
    "Each engine is a process of its own; tokens are stamped in that process, where their ids "
    "exist, on the monotonic clock. One run at a time per device. Warm-ups are in no figure.",
    "Setups were interleaved, A B B A, so that a machine that drifts hits all alike. A run during "
    "which other work kept the processors busy, or a clock dropped where the system tells it, was "
    "marked and made again, once.",
    "A median's interval is between two of its samples, by the binomial distribution (Thompson, "
    "1936). A ratio is the geometric mean over pairs: the same turn in the same round. Its "
    "interval is Student's t on their logarithms.",
)


@dataclass(frozen=True, slots=True)
class Block:
    """A heading with lines under it: what is recommended, and why."""

    heading: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Cell:
    text: str
    below: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class _Table:
    title: str
    note: str
    headings: Sequence[str]
    rows: Sequence[Sequence[_Cell]]


def witnesses(store: Store, findings: Findings) -> list[RunRecord]:
    """The first and the last run of each setup that count, in full: how and where it was made."""
    runs = [findings.runs_of(one.index) for one in findings.setups]
    ids = dict.fromkeys(one.run_id for made in runs for one in (*made[:1], *made[-1:]))
    records = (store.run(id_, None) for id_ in ids)
    return [record for record in records if record is not None]


def recommended(found: Recommendation, findings: Findings) -> Block:
    """The recommendation as a part of the report."""
    told = (verdict(findings, found), *details(findings, found))
    return Block(f"Which setup to use, if it is to be the {found.wish}", told)


def html(
    findings: Findings,
    records: Sequence[RunRecord],
    recommendation: Sequence[Block] = (),
    now: dt.datetime | None = None,
) -> str:
    """The whole document. `records`: some runs of each setup, for environment and formulae."""
    experiment = findings.experiment
    charts = panels(findings)
    now = now or dt.datetime.now(dt.UTC)
    return _template().render(
        nonce=secrets.token_urlsafe(16),
        css=_file("page.css"),
        js=_file("page.js"),
        plotly=_plotly() if charts else "",
        figures=_json([list(one.choices.values()) for one in charts]),
        name=experiment.plan.name,
        facts=_headline(findings),
        findings=sentences(findings.conclusion),
        together=_together(findings),
        recommendation=recommendation,
        remarks=remarks(findings),
        charts=charts,
        tables=_tables(findings),
        plan=_plan_facts(experiment.plan),
        toml=plan_toml(experiment.plan.without_folders),
        environment=list(facts(records).items()),
        formulae=_formulae(findings, records),
        method=_METHOD,
        footer=f"Written on {now:%Y-%m-%d %H:%M} UTC by LLM Dyno ({commit() or 'no checkout'}).",
    )


def _headline(findings: Findings) -> str:
    experiment = findings.experiment
    runs = sum(len(findings.runs_of(one.index)) for one in findings.setups)
    return " · ".join(
        (
            f"{experiment.created_at:%Y-%m-%d %H:%M} UTC",
            f"{len(findings.setups)} setups, {runs} runs that count",
            f"took {long_duration(experiment.seconds)}",
            f"experiment {experiment.id}",
        )
    )


def _together(findings: Findings) -> str:
    count = findings.conclusion.comparisons
    return f"All {count} intervals of ratios hold together with 95 %." if count else ""


def _tables(findings: Findings) -> list[_Table]:
    of_runs = [one for one in findings.metrics() if one.metric in MEDIANS]
    of_passes = [one for one in findings.metrics() if one.metric not in MEDIANS]
    made = [
        ("Medians", "Over all runs that count, with their 95 % intervals.", of_runs),
        ("What other passes found", "Each with its 95 % interval.", of_passes),
    ]
    tables = [_figures(findings, *one) for one in made if one[2]]
    return tables + ([_ratios(findings)] if len(findings.setups) > 1 else [])


def _figures(findings: Findings, title: str, note: str, metrics: Sequence[SetupFigure]) -> _Table:
    scales = [scale_of(one, findings.values(one.metric)) for one in metrics]
    rows = []
    for setup in findings.setups:
        cells = [_Cell(setup.label, f"{len(findings.runs_of(setup.index))} runs")]
        for one, scale in zip(metrics, scales, strict=True):
            figure = setup.figures.get(one.metric)
            if figure is None:
                cells.append(_Cell("not measured", kind="missing"))
            else:
                kind = "missing" if figure.value is None else ""
                is_itself = figure.reason == IS_REFERENCE
                text = "the reference" if is_itself else _in_one_piece(scale.with_interval(figure))
                cells.append(_Cell(text, kind=kind))
        rows.append(cells)
    return _Table(title, note, ["Setup", *(short_title(one) for one in metrics)], rows)


def _ratios(findings: Findings) -> _Table:
    reference, *others = findings.conclusion.setups
    shown = compared(findings.conclusion)
    rows = [
        [_Cell(one.label), *(_ratio(ratio) for ratio in one.ratios if ratio.metric in shown)]
        for one in others
    ]
    headings = ["Setup", *(metric_named(name).title for name in shown)]
    return _Table(f"Ratios to {reference.label}", "In pairs.", headings, rows)


def _ratio(one: MetricRatio) -> _Cell:
    if one.ratio is None:
        return _Cell(f"not compared: {one.reason}", kind="missing")
    return _Cell(_in_one_piece(ratio_text(one)), f"{one.verdict}, {one.n} pairs", one.verdict)


def _in_one_piece(text: str) -> str:
    """With an interval that is not broken over two lines where a column is narrow."""
    before, bracket, interval = text.partition("[")
    return before + bracket + interval.replace(", ", ",\u00a0")


def _plan_facts(plan: Plan) -> list[tuple[str, str]]:
    lengths = plan.output_tokens_grid or (plan.output_tokens,)
    length = f"{', '.join(map(str, lengths))} tokens"
    told = [
        ("Workload", Path(plan.workload).name),
        ("Repeats", f"{plan.repeats}, after {counted(plan.warm_ups, 'warm-up')} of each setup"),
        ("Answers", f"exactly {length}" if plan.output == "fixed" else f"at most {length}"),
        ("Prompts", "salted, so that no cache knows them" if plan.salted else "not salted"),
        ("Order", f"interleaved A B B A, drawn from seed {plan.seed}"),
    ]
    if plan.prompt_tokens_grid:
        told.append(("Prompts of about", f"{', '.join(map(str, plan.prompt_tokens_grid))} tokens"))
    if plan.stop_within_percent is not None:
        told.append(
            ("Early end", f"when every interval is within ± {plan.stop_within_percent:g} %")
        )
    if plan.time_budget_seconds is not None:
        told.append(("Time budget", f"{plan.time_budget_seconds:g} s"))
    if plan.money_budget_dollars is not None:
        told.append(("Money budget", f"${plan.money_budget_dollars}"))
    setups = zip(plan.labels, plan.setups, strict=True)
    return told + [(f"Setup “{label}”", _setup_text(one.setup)) for label, one in setups]


def _setup_text(setup: Setup) -> str:
    """What of it is not as it is by default; the model always."""
    chosen = setup.model_dump(mode="json", exclude_defaults=True) | {"model": setup.model}
    values = {name: json.dumps(value, ensure_ascii=False) for name, value in chosen.items()}
    return ", ".join(f"{name} = {values[name]}" for name in sorted(values))


def _formulae(findings: Findings, records: Sequence[RunRecord]) -> list[tuple[str, str]]:
    """How each figure that is shown came about; formulae that differ by setup are all told."""
    told = []
    for shown in findings.metrics():
        if shown.metric not in MEDIANS:
            how = {f"{formula_of(shown.metric)} ({provenance_of(shown.metric)})": None}
        else:
            made = [metric_named(shown.metric)(record) for record in records]
            known = (one for one in made if one.value is not None)
            how = {f"{one.formula} ({one.provenance})": None for one in known}
        told.append((shown.title, "; ".join(how)))
    return told


def _json(value: object) -> Markup:
    """Inside a script element nothing may end it: JSON allows “<” to be written as an escape."""
    return Markup(json.dumps(value, separators=(",", ":")).replace("<", "\\u003c"))


def _file(name: str) -> Markup:
    return Markup((_PAGE / name).read_text(encoding="utf-8"))


def _plotly() -> Markup:
    from plotly.offline import get_plotlyjs

    return Markup(get_plotlyjs())


@cache
def _template() -> jinja2.Template:
    files = jinja2.FileSystemLoader(_PAGE)
    made = jinja2.Environment(loader=files, autoescape=True, undefined=jinja2.StrictUndefined)
    return made.get_template("page.html")
