"""Can a drill be trusted? Compares what an arm showed with what is declared for it.

A drill whose fault without a runbook passes, or whose wrong runbook is not caught by a named check, proves nothing
when it passes with the right one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Column, Table

from drills.judge.scorecard import Scorecard
from drills.judge.unjudged import judges
from drills.record.arm import Arm
from drills.record.history import NS
from drills.spec.arms import Expectation
from drills.spec.drill import Drill
from drills.spec.planning import expectation
from reports.cells import print_table
from reports.figures import span
from reports.junit import ArmCase
from reports.texts import Lang
from reports.unjudged import cause

NOT_RUN = "not run"
"""In the place of a verdict: what was cut short shows what it did not come to."""


class Row(msgspec.Struct, frozen=True):
    """One run of ``verify``: what was declared, and what was shown.

    ``red`` are the checks that failed, and the metrics whose objectives failed.
    """

    drill: str
    arm: str
    seed: int
    verdict: str
    grade: str | None
    red: list[str]
    declared: str
    as_declared: bool
    says: str
    metrics: dict[str, list[float] | float | None]
    run: str
    evidence: str | None
    variant: str | None = None
    wall_s: float | None = None

    @property
    def called(self) -> str:
        """The drill's name, with its variant if it is one."""
        return f"{self.drill}.{self.variant}" if self.variant else self.drill

    @property
    def judged(self) -> bool:
        """Whether the run shows anything of the drill: it could judge, or was declared to end without that."""
        return self.as_declared or judges(self.verdict)

    def words(self) -> str:
        """One line for people."""
        mark = "as declared" if self.as_declared else "NOT AS DECLARED" if self.judged else "CANNOT JUDGE"
        caught = f" by {', '.join(self.red)}" if self.red else ""
        grade = f" — {self.grade}" if self.grade else ""
        return f"  {mark}: {self.arm} seed {self.seed}: {self.verdict}{grade}{caught}{self.says and '; ' + self.says}"


def verify_arm(drill: Drill, card: Scorecard, evidence: str | None) -> Row:
    """Hold one card against the declaration of its arm."""
    wanted = expectation(drill, Arm.parse(card.arm))
    if wanted is not None and card.runbook is not None and card.runbook.reaction_s is not None:
        wanted = wanted.at(round(card.runbook.reaction_s * NS))
    red = red_ids(card)
    against = _against(wanted, card, red)
    return Row(
        drill=drill.name,
        arm=card.arm,
        seed=card.seed,
        verdict=card.verdict,
        grade=card.grade,
        red=red,
        declared=_declared(wanted),
        as_declared=not against,
        says="; ".join(against),
        metrics=metrics_of(card),
        run=card.run,
        evidence=evidence,
        variant=drill.variant,
        wall_s=card.cost.wall_s,
    )


def not_run(drill: Drill, arm: Arm, seed: int) -> Row:
    """The row of a run that was meant to be, and was not begun any more, or not ended."""
    return Row(
        drill=drill.name,
        arm=str(arm),
        seed=seed,
        verdict=NOT_RUN,
        grade=None,
        red=[],
        declared=_declared(expectation(drill, arm)),
        as_declared=False,
        says="",
        metrics={},
        run="",
        evidence=None,
        variant=drill.variant,
    )


def metrics_of(card: Scorecard) -> dict[str, list[float] | float | None]:
    """Each metric in the whole of the run, all services together; a span of time as [earliest, latest]."""
    values = {metric.id: card.value(metric.id) for metric in card.metrics}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def red_ids(card: Scorecard) -> list[str]:
    """Ids of the checks that failed, and of the metrics whose objectives did, checks first."""
    checks = [check.id for check in card.checks if check.verdict == "fail"]
    return list(dict.fromkeys(checks + [one.metric for one in card.objectives if one.verdict == "fail"]))


def tell(rows: list[Row], out: Console, lang: Lang) -> None:
    """The table of all runs, and whether the drills can be trusted."""
    heads = ("arm", "seed", "verdict", "declared", "detect", "recover", "lost s", "caught by")
    several = len({row.called for row in rows}) > 1
    names = (Column("drill", no_wrap=True),) if several else ()
    table = Table(*names, *heads, box=None, pad_edge=False)
    for row in rows:
        table.add_row(
            *((row.called,) if several else ()),
            ("" if row.as_declared or row.verdict == NOT_RUN else "! ") + row.arm,
            str(row.seed),
            row.verdict + (f" ({row.grade})" if row.grade else ""),
            row.declared,
            _span(row.metrics.get("detect"), lang),
            _span(row.metrics.get("recover"), lang),
            _number(row.metrics.get("service_s")),
            ", ".join(row.red) or "-",
        )
    print_table(out, table)
    done = [row for row in rows if row.verdict != NOT_RUN]
    judged = [row for row in done if row.judged]
    bad, void, left = sum(not row.as_declared for row in judged), len(done) - len(judged), len(rows) - len(done)
    whole = not (bad or void or left)
    out.print(_trust(bad, len(judged), void, left, lang), style="bold green" if whole else "bold red")


def _trust(bad: int, judged: int, void: int, left: int, lang: Lang) -> str:
    """Runs that could not judge, or were not run, show nothing of the drill: neither that it is as declared nor not."""
    if lang == "ja":
        if bad:
            says = f"{bad} 件が宣言と異なる: この訓練は信頼できない"
        elif void:
            says = "判定できた分は宣言どおり" if judged else "判定できた実行がない"
        elif left:
            says = "実施分は宣言どおり" if judged else "実施した実行がない"
        else:
            says = "すべてのアームが宣言どおり: この訓練は信頼できる"
        return (
            says + (f"（判定不能 {void} 件）" if void else "") + (f"（中断のため {left} 件は未実施）" if left else "")
        )
    if bad:
        says = f"{bad} of {judged} runs did not behave as declared"
    elif void:
        says = "what could be judged behaved as declared" if judged else "no run could be judged"
    elif left:
        says = "what ran behaved as declared" if judged else "nothing was run"
    else:
        says = "every arm behaved as declared"
    return (
        says + (f"; {void} could not judge" if void else "") + (f"; {left} were not run to their end" if left else "")
    )


def cases(rows: Sequence[Row], files: Mapping[str, Path], target: str) -> dict[str, list[ArmCase]]:
    """What CI is told of the rows, by the file of their drill: an arm that was run several times is numbered."""
    found: dict[str, list[ArmCase]] = defaultdict(list)
    times = Counter((row.called, row.arm) for row in rows)
    seen: Counter[tuple[str, str]] = Counter()
    for row in rows:
        key = (row.called, row.arm)
        seen[key] += 1
        name = row.arm + (f" (repeat {seen[key]})" if times[key] > 1 else "")
        said = f"{row.verdict}{f' ({row.grade})' if row.grade else ''}, declared {row.declared}, seed {row.seed}"
        verdict = "pass" if row.as_declared else "fail" if row.judged else row.verdict
        says = f"{said}; {row.says}" if row.says else said
        found[str(files[row.called])].append(
            ArmCase(f"{row.called}.{target.replace('.', '_')}", name, verdict, says, row.wall_s)
        )
    return found


def _against(wanted: Expectation | None, card: Scorecard, red: list[str]) -> list[str]:
    if wanted is None:
        return [f"nothing is declared for {card.arm}"]
    if not judges(card.verdict) and judges(wanted.verdict):
        return [f"declared {wanted.verdict}, could not judge: {cause(card, 'en')}"]
    found = []
    if card.verdict != wanted.verdict:
        found.append(f"declared {wanted.verdict}")
    if wanted.grade is not None and card.grade != wanted.grade:
        found.append(f"declared grade {wanted.grade}, was {card.grade}")
    caught = {*red, *(one.id for one in card.objectives if one.verdict == "fail")}  # an id names the window as well
    missed = [each for each in wanted.by if each not in caught]
    if missed:
        found.append(f"declared to be caught by {' and '.join(wanted.by)}, but {', '.join(missed)} is not red")
    return found


def _declared(wanted: Expectation | None) -> str:
    if wanted is None:
        return "-"
    return wanted.verdict + (f" ({wanted.grade})" if wanted.grade else "")


def _number(value: list[float] | float | None) -> str:
    return f"{value:.1f}" if isinstance(value, int | float) else "-"


def _span(value: list[float] | float | None, lang: Lang) -> str:
    """The latest end, in seconds; an alert may come before the impact."""
    if not isinstance(value, list):
        return "-"
    return f"{value[-1]:.1f}" if value[-1] >= 0 else span((value[-1], value[-1]), lang)
