"""A runbook as the runbook a person follows, in English or Japanese, plain text."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from drills.spec.expectations import Demand
from drills.spec.reader import UNITS
from drills.spec.runbook import Runbook
from drills.spec.steps import IfFailed, Step

TEXTS = {
    "en": {
        "for": "For alerts {alerts}; phases {phases}",
        "wrong": "WRONG ON PURPOSE ({source}): {says}",
        "dropped": "Left out: {steps}",
        "moved": "[moved]",
        "replaced": "[changed: {what}]",
        "inserted": "[inserted]",
        "loosened": "[no longer after: {what}]",
        "harmless": "Harmless here: {says}",
        "never": "Never:",
        "call": "If this has not helped after {after}, call {to} (deputy: {deputy}).",
        "step": "{n}. [ ] {text}  ({id}; by {role}, within {within})",
        "manual": "confirm: {done}",
        "needs": "after: {steps}",
        "before": "only if: {facts}",
        "false-alarm": "only if: {facts} (else a false alarm: stop here)",
        "expect": "expect: {facts}",
        "asked": "{query} says {facts}",
        "open": "if so: open {runbook}; if not: the next step",
        "call-opens": "Then open {runbook}.",
        "stop": "otherwise: stop",
        "escalate": "otherwise: call",
        "go": "otherwise: go to {step}",
        "is": "{field} = {value}",
        "not": "{field} is not {value}",
        "at_most": "{field} at most {value}",
        "at_least": "{field} at least {value}",
    },
    "ja": {
        "for": "対象アラート: {alerts}  対象時間帯: {phases}",
        "wrong": "訓練用の誤った手順書({source}): {says}",
        "dropped": "省かれた手順: {steps}",
        "moved": "【順序変更】",
        "replaced": "【変更: {what}】",
        "inserted": "【追加】",
        "loosened": "【前提から除外: {what}】",
        "harmless": "本環境で無害である理由: {says}",
        "never": "禁止事項:",
        "call": "{after}経過しても改善しない場合は {to} に連絡する(不在時は {deputy})。",
        "step": "{n}. [ ] {text}  ({id}、担当 {role}、制限時間 {within})",
        "manual": "確認: {done}",
        "needs": "前提手順: {steps}",
        "before": "実施条件: {facts}",
        "false-alarm": "実施条件: {facts}(満たさない場合は誤報。ここで終了する)",
        "expect": "確認事項: {facts}",
        "asked": "{query} の結果: {facts}",
        "open": "該当する場合: 手順書 {runbook} を開く。該当しない場合: 次の手順へ進む",
        "call-opens": "その後、手順書 {runbook} を開く。",
        "stop": "満たさない場合: 中止する",
        "escalate": "満たさない場合: 連絡する",
        "go": "満たさない場合: {step} へ進む",
        "is": "{field} = {value}",
        "not": "{field} が {value} でない",
        "at_most": "{field} が {value} 以下",
        "at_least": "{field} が {value} 以上",
    },
}


def render_page(runbook: Runbook, lang: str = "en") -> str:
    """The whole runbook; ``lang`` other than ``ja`` is English. Ends with a newline."""
    texts = TEXTS["ja" if lang == "ja" else "en"]
    lines = [f"{runbook.title.say(lang)}  [{runbook.id}]", ""]
    lines += _differences(runbook, texts, lang)
    lines.append(texts["for"].format(alerts=", ".join(runbook.alerts), phases=", ".join(runbook.phases)))
    if runbook.prohibited:
        lines += [texts["never"], *(f"  - {item.say(lang)}" for item in runbook.prohibited)]
    called = runbook.escalation
    lines.append(texts["call"].format(after=time_words(called.after, lang), to=called.to, deputy=called.deputy))
    if called.opens is not None:
        lines.append(texts["call-opens"].format(runbook=called.opens))
    for number, step in enumerate(runbook.steps, 1):
        lines += ["", *_step(number, step, _marks(runbook, step, texts), texts, lang)]
    return "\n".join(lines) + "\n"


def step_lines(number: int, step: Step, lang: str = "en") -> list[str]:
    """One step of it as it stands on the page; ``number`` from 1."""
    return _step(number, step, "", TEXTS["ja" if lang == "ja" else "en"], lang)


def time_words(ns: int, lang: str = "en") -> str:
    """Nanoseconds in the largest unit that gives a whole number: ``90s``, ``250ms``, ``3分``."""
    for unit, kanji in (("h", "時間"), ("m", "分"), ("s", "秒")):
        if ns % UNITS[unit] == 0:
            return f"{ns // UNITS[unit]}{kanji if lang == 'ja' else unit}"
    return f"{ns / UNITS['ms']:g}{'ミリ秒' if lang == 'ja' else 'ms'}"


def _differences(runbook: Runbook, texts: dict[str, str], lang: str) -> Iterator[str]:
    """What is wrong on purpose, and the steps that are not there."""
    if runbook.wrong is not None:
        yield texts["wrong"].format(source=runbook.wrong.source, says=runbook.wrong.what.say(lang))
        if runbook.wrong.harmless is not None:
            yield texts["harmless"].format(says=runbook.wrong.harmless.say(lang))
    left_out = [change.step for change in runbook.changes if change.how == "dropped"]
    if left_out:
        yield texts["dropped"].format(steps=", ".join(left_out))


def _marks(runbook: Runbook, step: Step, texts: dict[str, str]) -> str:
    """How a step differs from the right runbook's."""
    changes = [change for change in runbook.changes if change.step == step.id]
    return "".join(f" {texts[change.how].format(what=', '.join(change.what))}" for change in changes)


def _step(number: int, step: Step, marks: str, texts: dict[str, str], lang: str) -> list[str]:
    within = time_words(step.within, lang)
    said = texts["step"].format(n=number, text=step.text.say(lang), id=step.id, role=step.role, within=within)
    lines = [said + marks]
    if step.needs:
        lines.append("      " + texts["needs"].format(steps=", ".join(step.needs)))
    if step.before is not None:
        key = "false-alarm" if number == 1 else "before"
        lines.append("      " + texts[key].format(facts=_demand(step.before, texts)))
    if step.argv is not None:
        lines.append(f"      $ {shlex.join(step.argv)}")
    if step.manual is not None:
        lines.append("      " + texts["manual"].format(done=step.manual.say(lang)))
    if step.expect is not None:
        lines.append("      " + texts["expect"].format(facts=_demand(step.expect, texts)))
    if step.opens is not None:
        lines.append("      " + texts["open"].format(runbook=step.opens))
    lines.append("      " + _if_failed(step.if_failed, texts))
    return lines


def _demand(demand: Demand, texts: dict[str, str]) -> str:
    facts = ", ".join(
        texts[fact.how].format(field=field, value=_shown(fact.value)) for field, fact in demand.reply.items()
    )
    if demand.argv is None:
        return facts
    return texts["asked"].format(query=shlex.join(demand.argv), facts=facts)


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _if_failed(after: IfFailed, texts: dict[str, str]) -> str:
    return texts[after.action].format(step=after.step)
