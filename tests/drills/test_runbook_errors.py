"""Malformed runbooks: each is refused with its own line and says what was found and what is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from drills.errors import BadInput
from drills.spec.runbook import load_runbook
from drills.spec.vocabulary import embedded
from targets.brokerage.operations.tool import TOOL

GOOD = """\
runbook: link-down
title: {en: The link is silent, ja: 回線の無応答}
for: {alerts: [LinkSilent], phases: [D3]}
prohibited:
  - {en: Do not send it again, ja: 再送しないこと}
escalation: {after: 3m, to: duty-manager, deputy: head-of-operations}
steps:
  - id: confirm
    role: operator
    text: {en: Confirm it, ja: 確認する}
    before: {run: brokerctl gateway status, reply: {session: {not: active}}}
    run: brokerctl gateway status
    expect: {link: A}
    within: 3s
  - id: verify
    role: operator
    text: {en: Verify the books, ja: 突合する}
    run: brokerctl reconcile
    expect: {clean: true, missing: {at_most: 0}}
    within: 10s
    needs: [confirm]
    if_failed: go call
  - id: call
    role: duty-manager
    text: {en: Call the exchange, ja: 取引所へ連絡する}
    within: 3m
    if_failed: escalate
"""

PHASES = "E1, N1, N2, N3, D0, D1, D2, D3, D4, D5, W"
STEP_KEYS = "id, role, text, within, run, manual, before, expect, open, needs, if_failed"
QUERIES = ", ".join(sorted(command.name for command in TOOL.commands if command.read_only))
COMMANDS = ", ".join(command.name for command in TOOL.commands)
FINDINGS = (
    "ok, exit, says, changed, clean, missing, extra, different, different_trades, unknown_orders, unsent_notices,"
    " overdue_notices, resyncing, examples, missing_accounts"
)
RUN = "    run: brokerctl reconcile"

CASES = {
    # name: (text to replace, replacement, line, message)
    "unknown key": (
        "escalation:",
        "escalate:",
        6,
        "unknown key 'escalate', did you mean 'escalation'? known: runbook, title, for, escalation, steps, prohibited",
    ),
    "no Japanese": (", ja: 確認する", "", 10, "steps[0].text: missing key 'ja'; required: en, ja"),
    "no English": ("{en: Call the exchange, ", "{", 25, "steps[2].text: missing key 'en'; required: en, ja"),
    "no phases": (", phases: [D3]", "", 3, "for: missing key 'phases'; required: alerts, phases"),
    "unknown phase": ("[D3]", "[D3, X1]", 3, f"for.phases[1]: unknown phase 'X1'; known: {PHASES}"),
    "no alert": ("[LinkSilent]", "[]", 3, "for.alerts: found an empty list, expected a list of alerts"),
    "prohibited in one language": (
        "  - {en: Do not send it again, ja: 再送しないこと}",
        "  - Do not send it again",
        5,
        "prohibited[0]: found 'Do not send it again', expected a mapping of en, ja",
    ),
    "nobody to call": (
        ", to: duty-manager, deputy: head-of-operations",
        "",
        6,
        "escalation: missing key 'to'; required: after, to, deputy",
    ),
    "no time limit": ("    within: 3s\n", "", 8, "steps[0]: missing key 'within'; required: id, role, text, within"),
    "no time at all": ("within: 10s", "within: 0s", 20, "steps[1].within: found '0s', expected more than zero"),
    "unknown key of a step": (
        "needs: [confirm]",
        "need: [confirm]",
        21,
        f"steps[1]: unknown key 'need', did you mean 'needs'? known: {STEP_KEYS}",
    ),
    "unknown role": (
        "role: duty-manager",
        "role: manager",
        24,
        "steps[2].role: unknown role 'manager', did you mean 'duty-manager'? known: viewer, operator, duty-manager",
    ),
    "id twice": ("id: verify", "id: confirm", 15, "steps[1]: step id 'confirm' stands twice, first in line 8"),
    "id that is no name": (
        "id: verify",
        "id: Verify it",
        15,
        "steps[1].id: found 'Verify it', expected a name of lower-case letters, digits and hyphens, at most 64",
    ),
    "unknown need": (
        "[confirm]",
        "[confrim]",
        21,
        "steps[1].needs[0]: unknown step 'confrim', did you mean 'confirm'? known: confirm, verify, call",
    ),
    "needs itself": ("[confirm]", "[verify]", 21, "steps[1].needs[0]: step 'verify' needs itself"),
    "needs a later step": (
        "[confirm]",
        "[confirm, call]",
        21,
        "steps[1].needs[1]: 'call' comes after 'verify'; a step can only need what stands above it",
    ),
    "needs in a cycle": (
        "    within: 3s\n",
        "    within: 3s\n    needs: [verify]\n",
        15,
        "steps[0].needs[0]: 'verify' comes after 'confirm'; a step can only need what stands above it",
    ),
    "need twice": ("[confirm]", "[confirm, confirm]", 21, "steps[1].needs[1]: step id 'confirm' stands twice"),
    "go nowhere": (
        "go call",
        "go cal",
        22,
        "steps[1].if_failed: unknown step 'cal', did you mean 'call'? known: confirm, verify, call",
    ),
    "go back up": (
        "go call",
        "go confirm",
        22,
        "steps[1].if_failed: 'go confirm' would go back up the runbook; a runbook has no loops",
    ),
    "go to itself": (
        "go call",
        "go verify",
        22,
        "steps[1].if_failed: 'go verify' would go back up the runbook; a runbook has no loops",
    ),
    "other ways to fail": (
        "if_failed: escalate",
        "if_failed: retry",
        27,
        "steps[2].if_failed: found 'retry', expected stop, escalate, or go STEP",
    ),
    "another program": (
        RUN,
        "    run: systemctl restart gateway",
        18,
        "steps[1].run: found 'systemctl restart gateway', expected a line such as 'brokerctl status';"
        " only brokerctl is run",
    ),
    "nothing but the tool": (
        RUN,
        "    run: brokerctl",
        18,
        "steps[1].run: found 'brokerctl', expected a line such as 'brokerctl status'; only brokerctl is run",
    ),
    "a pipe": (
        RUN,
        "    run: brokerctl reconcile | grep clean",
        18,
        "steps[1].run: '|' is for a shell, and this is never run by one; quote it or drop it",
    ),
    "two commands": (
        RUN,
        "    run: brokerctl reconcile; brokerctl status",
        18,
        "steps[1].run: ';' is for a shell, and this is never run by one; quote it or drop it",
    ),
    "a variable in quotes": (
        RUN,
        """    run: 'brokerctl customers affected --since "$T0"'""",
        18,
        "steps[1].run: '$' is for a shell, and this is never run by one; quote it or drop it",
    ),
    "a redirection": (
        RUN,
        "    run: brokerctl reconcile > /tmp/out",
        18,
        "steps[1].run: '>' is for a shell, and this is never run by one; quote it or drop it",
    ),
    "an open quote": (
        RUN,
        """    run: brokerctl reconcile "all""",
        18,
        "steps[1].run: cannot be split: no closing quotation",
    ),
    "own role": (
        RUN,
        "    run: brokerctl --role duty-manager reconcile",
        18,
        "steps[1].run: leave out --role; the step's role and the target decide it",
    ),
    "unknown command": (
        RUN,
        "    run: brokerctl gateway use-lnk B",
        18,
        f"steps[1].run: unknown command 'gateway use-lnk', did you mean 'gateway use-link'? known: {COMMANDS}",
    ),
    "an argument that is none": (
        RUN,
        "    run: brokerctl reconcile all",
        18,
        "steps[1].run: reconcile: unrecognized arguments: all",
    ),
    "an argument too few": (
        RUN,
        "    run: brokerctl gateway use-link",
        18,
        "steps[1].run: gateway use-link: the following arguments are required: link",
    ),
    "a number that is none": (
        RUN,
        "    run: brokerctl session terminate blocker",
        18,
        "steps[1].run: session terminate: argument PID|root-blocker: found 'blocker',"
        " expected a whole number or root-blocker",
    ),
    "a time out of bounds": (
        RUN,
        "    run: brokerctl gateway drain --within 90s",
        18,
        "steps[1].run: gateway drain: argument --within: found '90s', expected more than 0 and at most 60 seconds",
    ),
    "precondition that acts": (
        "{run: brokerctl gateway status, reply",
        "{run: brokerctl service close orders, reply",
        11,
        f"steps[0].before.run: 'service close' is not a query; known: {QUERIES}",
    ),
    "precondition without a query": (
        "{run: brokerctl gateway status, reply: {session: {not: active}}}",
        "{session: down}",
        11,
        "steps[0].before: unknown key 'session'; known: run, reply",
    ),
    "precondition of nothing": (
        "reply: {session: {not: active}}",
        "reply: {}",
        11,
        "steps[0].before.reply: found an empty mapping, expected at least one field of the answer",
    ),
    "query that expects nothing": (
        "expect: {link: A}",
        "expect: {run: brokerctl status}",
        13,
        "steps[0].expect: missing key 'reply'; required: run, reply",
    ),
    "expectation in words": (
        "expect: {link: A}",
        "expect: it works",
        13,
        "steps[0].expect: found 'it works', expected a mapping of the answer's fields",
    ),
    "unknown comparison": (
        "at_most",
        "atmost",
        19,
        "steps[1].expect.missing: unknown comparison 'atmost', did you mean 'at_most'? known: at_most, at_least, not",
    ),
    "comparison with a word": (
        "at_most: 0",
        "at_most: few",
        19,
        "steps[1].expect.missing.at_most: found 'few', expected a number",
    ),
    "two comparisons": (
        "{at_most: 0}",
        "{at_most: 2, not: 1}",
        19,
        "steps[1].expect.missing: found a mapping of at_most, not, expected one of at_most, at_least, not",
    ),
    "expecting a list": (
        "clean: true",
        "clean: [true]",
        19,
        "steps[1].expect.clean: found a list of 1, expected true or false",
    ),
    "a field that no reply has": (
        "clean: true",
        "claen: true",
        19,
        f"steps[1].expect: reply of 'reconcile': unknown field 'claen', did you mean 'clean'? known: {FINDINGS}",
    ),
    "a field of another command": (
        "session: {not: active}",
        "answers: true",
        11,
        "steps[0].before.reply: reply of 'gateway status': unknown field 'answers', did you mean 'unanswered'?"
        " known: ok, exit, says, changed,"
        " session, link, heartbeat_age_s, next_in, next_out, resyncing, outstanding, unanswered, unknown, notices_held,"
        " queue_age_s, missing_accounts",
    ),
    "a field inside one without any": (
        "{link: A}",
        "{link.name: A}",
        13,
        "steps[0].expect: reply of 'gateway status': unknown field 'link.name', did you mean 'link'? known: link",
    ),
    "a field of a mapping that it has not": (
        "expect: {link: A}",
        "expect: {run: brokerctl status, reply: {services.order: true}}",
        13,
        "steps[0].expect.reply: reply of 'status': unknown field 'services.order', did you mean 'services.orders'?"
        " known: services.inquiry, services.repayment, services.orders, services.withdrawal, services.pages",
    ),
    "a mapping as a whole": (
        "expect: {link: A}",
        "expect: {run: brokerctl status, reply: {services: open}}",
        13,
        "steps[0].expect.reply: reply of 'status': 'services' has fields, name one:"
        " services.inquiry, services.repayment, services.orders, services.withdrawal, services.pages",
    ),
    "a list": (
        "missing: {at_most: 0}",
        "examples: {at_most: 0}",
        19,
        "steps[1].expect: reply of 'reconcile': 'examples' is a list, which is compared with nothing",
    ),
    "a value that the field never has": (
        "{not: active}",
        "{not: actve}",
        11,
        "steps[0].before.reply.session.not: unknown value 'actve', did you mean 'active'? known: active, silent, down",
    ),
    "a number for one of some texts": (
        "{link: A}",
        "{link: 1}",
        13,
        "steps[0].expect.link: found the number 1, expected A or B",
    ),
    "what a command that is done never says": (
        "{link: A}",
        "{ok: false}",
        13,
        "steps[0].expect.ok: found false, expected true",
    ),
    "a change by a command that only reads": (
        "{link: A}",
        "{changed: true}",
        13,
        "steps[0].expect.changed: found true, expected false",
    ),
    "a number for true or false": (
        "clean: true",
        "clean: 1",
        19,
        "steps[1].expect.clean: found the number 1, expected true or false",
    ),
    "fewer than none": (
        "{at_most: 0}",
        "-3",
        19,
        "steps[1].expect.missing: found the number -3, expected a whole number of at least 0",
    ),
    "at most fewer than none": (
        "{at_most: 0}",
        "{at_most: -1}",
        19,
        "steps[1].expect.missing.at_most: found the number -1, expected a number of at least 0",
    ),
    "a half": (
        "{at_most: 0}",
        "0.5",
        19,
        "steps[1].expect.missing: found the number 0.5, expected a whole number of at least 0",
    ),
    "a time for a count": (
        "{at_most: 0}",
        "-3s",
        19,
        "steps[1].expect.missing: found '-3s', expected a whole number of at least 0",
    ),
    "a time below nought": (
        "session: {not: active}",
        "heartbeat_age_s: {at_least: -1}",
        11,
        "steps[0].before.reply.heartbeat_age_s.at_least: found the number -1, expected a number of at least 0",
    ),
    "a time in no unit": (
        "session: {not: active}",
        "heartbeat_age_s: {at_least: 3 weeks}",
        11,
        "steps[0].before.reply.heartbeat_age_s.at_least: unknown unit 'weeks'; known: ms, s, m, h (found '3 weeks')",
    ),
    "a truth compared like a number": (
        "clean: true",
        "clean: {at_least: 1}",
        19,
        "steps[1].expect.clean: at_least compares numbers, and this is true or false",
    ),
    "a text compared like a number": (
        "session: {not: active}",
        "session: {at_most: 2}",
        11,
        "steps[0].before.reply.session: at_most compares numbers, and this is a text",
    ),
    "answer of nobody": (
        "    within: 3m",
        "    within: 3m\n    expect: {clean: true}",
        27,
        "steps[2].expect: the step runs nothing that could answer; ask with {run: …, reply: …}",
    ),
}


def refusal(file: Path, source: str) -> BadInput:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(source)
    with pytest.raises(BadInput) as caught:
        load_runbook(file, embedded().operator)
    return caught.value


@pytest.mark.parametrize("case", CASES)
def test_refuses_with_line_and_words(tmp_path: Path, case: str) -> None:
    old, new, line, says = CASES[case]
    assert GOOD.count(old) == 1, "the case must change one place"
    file = tmp_path / "runbook.yaml"
    assert str(refusal(file, GOOD.replace(old, new))) == f"{file}:{line}: {says}"


def test_a_right_page_has_no_steps_missing(tmp_path: Path) -> None:
    file = tmp_path / "runbook.yaml"
    empty = GOOD[: GOOD.index("steps:")] + "steps: []\n"
    assert str(refusal(file, empty)) == f"{file}:7: steps: found an empty list, expected a list of steps"
