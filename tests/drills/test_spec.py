"""What a good drill becomes: draws from the seed, plans, arms, and what a target must offer."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drills.errors import MissingMeans, Refused, UnknownName
from drills.record.arm import NO_ACTION, RUNBOOK, Arm, ArmKind
from drills.record.history import NS, Objective, Person, Plan, Slo
from drills.spec import drill as spec
from drills.spec.arms import Expectation
from drills.spec.drill import Drill, catalogue, load_drill
from drills.spec.faultform import DrawnFault
from drills.spec.planning import arm_of, arms_of, expectation, missing, plan, refuse_missing, requirements, variants
from drills.spec.runbook import load_runbook, varied
from drills.spec.seeded import Between, Fixed, OneOf, sample
from drills.spec.timeline import TimedFault, draw_faults
from drills.spec.vocabulary import embedded, standing, vocabulary
from targets.registry import runtime
from targets.target import Capabilities

from .judging import CHECKS

SLUG = "exchange-link-down"
TOOL = embedded().operator
FULL = Capabilities(
    frozenset({"exchange-a"}), frozenset({"api"}), ("notices", "oms", "exchange"), operator=TOOL, alerts=True
)


@pytest.fixture(scope="module")
def drill() -> Drill:
    return load_drill(SLUG)


def test_the_drill_in_the_catalogue(drill: Drill) -> None:
    assert (drill.name, drill.variant, drill.phase, drill.fidelity) == (SLUG, None, "D3", "F")
    assert drill.slo == Slo(latency=NS, hold=5 * NS, grace=3 * NS // 2, notice=10 * NS, monitor_gap=2 * NS)
    assert drill.services == {"orders": 25.0, "inquiry": 35.0}
    assert Objective("served_ratio", 0.5, "ratio", True) in drill.objectives
    assert drill.checks[-len(standing()) :] == standing()
    assert drill.sha256 == hashlib.sha256(drill.file.read_bytes()).hexdigest()


def test_the_checks_that_every_drill_has_are_those_that_stand() -> None:
    assert set(standing()) == {check.id for check in CHECKS.values() if check.validity}
    assert {"run-ended", "fault-really-happened", "monitoring-had-no-gap", "no-page"} <= set(standing())


def test_every_drill_is_called_as_its_folder() -> None:
    for name, file in catalogue(variants=True).items():
        found = load_drill(name)
        assert (found.file, found.name) == (file, file.parent.name)


def test_a_drill_is_found_by_name_file_and_folder(drill: Drill) -> None:
    assert load_drill(drill.file) == load_drill(drill.folder) == load_drill(str(drill.file)) == drill


def test_an_unknown_drill_is_named_with_the_known_ones() -> None:
    with pytest.raises(
        UnknownName, match="unknown drill 'exchange-link-dwon', did you mean 'exchange-link-down'"
    ) as caught:
        load_drill("exchange-link-dwon")
    assert caught.value.exit_code == 3


def test_variants_are_drills_of_their_own(drill: Drill, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / SLUG
    folder.mkdir()
    (folder / "runbook.yaml").write_bytes(drill.runbook.read_bytes())
    for name in ("drill.yaml", "drill.mail.yaml"):
        (folder / name).write_bytes(drill.content)
    monkeypatch.setattr(spec, "CATALOGUE", tmp_path)
    assert list(catalogue()) == [SLUG]
    assert list(catalogue(variants=True)) == [SLUG, f"{SLUG}.mail"]
    variant = load_drill(f"{SLUG}.mail")
    assert (variant.name, variant.variant, plan(variant, RUNBOOK, 1).variant) == (SLUG, "mail", "mail")


# -- draws --------------------------------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**63), st.integers(0, 10**12), st.integers(1, 10**12))
def test_draws_are_reproducible_and_in_range(seed: int, low: int, width: int) -> None:
    fault = TimedFault(
        Between(low, low + width),
        OneOf((1, 2)),
        DrawnFault("x", {"f": Between(0.5, 1.5), "g": OneOf(("a", "b")), "h": Fixed(3)}, 1),
    )
    (one,), (two,) = draw_faults((fault,), "d", seed), draw_faults((fault,), "d", seed)
    assert one == two
    assert low <= one.at <= low + width
    assert one.lasts in (1, 2)
    assert 0.5 <= one.params["f"] <= 1.5
    assert one.params["g"] in ("a", "b")
    assert one.params["h"] == 3
    assert type(one.at) is int


def test_draws_reach_both_ends() -> None:
    rng = random.Random(1)
    assert {sample(Between(1, 3), rng) for _ in range(99)} == {1, 2, 3}


def test_arms_with_the_same_seed_meet_the_same_fault(drill: Drill) -> None:
    plans = [plan(drill, arm, 7) for arm in arms_of(drill)]
    assert len({msgspec.json.encode(each.faults) for each in plans}) == 1
    onsets = {plan(drill, RUNBOOK, seed).faults[0].at for seed in range(40)}
    assert len(onsets) == 40
    assert all(2 * NS <= onset <= 6 * NS for onset in onsets)
    assert plans[0].faults[0].at == 3_926_374_863, "a published seed replays the same run in any version"


# -- plans --------------------------------------------------------------------------------------------------------


def test_a_plan_survives_the_run_folder(drill: Drill) -> None:
    made = plan(drill, RUNBOOK, 7, 6 * NS, person=Person("Sato", "operator"))
    assert msgspec.json.decode(msgspec.json.encode(made), type=Plan) == made
    assert (made.reaction, made.operator, made.seed, made.cap) == (6 * NS, "human", 7, 20 * NS)
    assert made.drill_sha256 == drill.sha256


def test_a_plan_knows_the_page_of_its_arm(drill: Drill) -> None:
    assert drill.runbook is not None
    right = load_runbook(drill.runbook, drill.tool)
    wrong = {f"wrong:{name}": varied(right, each).sha256 for name, each in variants(drill).items()}
    assert {str(arm): plan(drill, arm, 1).runbook_sha256 for arm in arms_of(drill)} == {
        "no-fault": None,
        "false-alarm": right.sha256,
        "no-action": None,
        "runbook": hashlib.sha256(right.content).hexdigest(),
        **wrong,
    }
    without = {plan(drill, Arm(ArmKind.WITHOUT, step), 1).runbook_sha256 for step in ("drain", "verify")}
    assert len({*without, *wrong.values(), right.sha256}) == len(wrong) + 3, "each has a digest of its own"
    assert plan(drill, RUNBOOK, 1, runbook_sha256="0f").runbook_sha256 == "0f"


@pytest.mark.parametrize("arm", ["no-fault", "no-action"])
def test_nobody_acts_in_arms_without_a_page(drill: Drill, arm: str) -> None:
    assert plan(drill, Arm.parse(arm), 1, person=Person("Sato", "operator")).operator == "none"


@pytest.mark.parametrize(
    ("arm", "says"),
    [
        ("runbok", "unknown arm 'runbok', did you mean 'runbook'?"),
        ("wrong:", "unknown arm 'wrong:'"),
        ("wrong:../../etc/passwd", "unknown arm 'wrong:../../etc/passwd'"),
        ("wrong:restart-gateway", "did you mean 'wrong:restart-gateway-only'?"),
        ("without:drian", "unknown step of exchange-link-down 'drian', did you mean 'drain'?"),
    ],
)
def test_unknown_arms(drill: Drill, arm: str, says: str) -> None:
    with pytest.raises(UnknownName) as caught:
        plan(drill, arm_of(drill, arm), 1)
    assert says in str(caught.value)


# -- expectations -------------------------------------------------------------------------------------------------


def test_what_the_arms_must_show(drill: Drill) -> None:
    assert expectation(drill, Arm.parse("no-fault")) == Expectation("pass")
    assert expectation(drill, NO_ACTION) == Expectation("fail", "unable")
    assert expectation(drill, Arm.parse("wrong:restart-gateway-only")) == Expectation("fail", None, ("recover",))
    assert expectation(drill, Arm.parse("without:drain")) is None


def test_a_harmless_variant_is_run_and_need_not_fail(drill: Drill, tmp_path: Path) -> None:
    for name in ("drill.yaml", "runbook.yaml"):
        (tmp_path / name).write_bytes((drill.folder / name).read_bytes())
    text = (drill.folder / "wrong.yaml").read_text().replace("restart-gateway-only:", "restart:")
    says = "harmless: {en: no order was open, ja: 未約定の注文がない}"
    (tmp_path / "wrong.yaml").write_text(text.replace("expect: {verdict: fail, by: [recover]}", says))
    found = load_drill(tmp_path)
    assert arms_of(found)[-1] == Arm.parse("wrong:restart")
    wanted = expectation(found, Arm.parse("wrong:restart"))
    assert wanted is not None
    assert wanted.verdict == "pass"
    harmless = variants(found)["restart"].harmless
    assert harmless is not None
    assert harmless.say("en") == "no order was open"


# -- means --------------------------------------------------------------------------------------------------------


def test_what_the_drill_needs(drill: Drill) -> None:
    needs = requirements(drill)
    assert (needs.books, needs.operator, needs.alerts) == (frozenset({"notices", "oms", "exchange"}), True, True)
    assert missing(drill, FULL) == ()


def test_what_the_target_lacks_is_named(drill: Drill) -> None:
    bare = Capabilities(frozenset({"api-pg"}), frozenset(), ("oms",), operator=None, alerts=False)
    with pytest.raises(MissingMeans) as caught:
        refuse_missing(drill, bare, "staging.yaml")
    link, *others = caught.value.lacks
    assert link.startswith(f"{drill.file}:10: timeout: the target lacks link exchange-a")
    lines = {key: drill.content.decode().splitlines().index(line) + 1 for key, line in _lines_of(drill).items()}
    assert others == [
        f"{drill.file}:{lines['checks']}: the target has no book 'exchange'",
        f"{drill.file}:{lines['checks']}: the target has no book 'notices'",
        f"{drill.file}:{lines['runbook']}: the target has no operator tool",
        f"{drill.file}:{lines['alerts']}: the target sends no alerts",
    ]
    assert str(caught.value).endswith("(drill exchange-link-down cannot run on target staging.yaml)")
    assert caught.value.exit_code == 3


def _lines_of(drill: Drill) -> dict[str, str]:
    """Key -> the line that begins with it."""
    return {line.partition(":")[0]: line for line in drill.content.decode().splitlines() if line[:1].isalpha()}


CUT_OFF = "  - {at: 2s, for: until-judged, fault: {kind: partition, service: SERVICE}}\n"


@pytest.mark.parametrize(
    ("service", "target", "lacks"),
    [("exchange", "local", ()), ("mail", "compose", ()), ("mail", "local", ("a way to cut mail off",))],
)
def test_a_drill_may_cut_off_what_its_target_can(
    drill: Drill, tmp_path: Path, service: str, target: str, lacks: tuple[str, ...]
) -> None:
    capabilities = runtime(target).capabilities()
    text = (drill.folder / "drill.yaml").read_text()
    (struck,) = [line for line in text.splitlines(keepends=True) if "kind: timeout" in line]
    (tmp_path / "drill.yaml").write_text(text.replace(struck, CUT_OFF.replace("SERVICE", service)))
    (tmp_path / "runbook.yaml").write_bytes((drill.folder / "runbook.yaml").read_bytes())
    found = missing(load_drill(tmp_path, vocabulary(capabilities)), capabilities)
    assert len(found) == len(lacks)
    assert all(words in lack.says for lack, words in zip(found, lacks, strict=True))


def test_the_right_page_may_say_how_slow_one_may_be(drill: Drill, tmp_path: Path) -> None:
    for name in ("runbook.yaml",):
        (tmp_path / name).write_bytes((drill.folder / name).read_bytes())
    text = (drill.folder / "drill.yaml").read_text()
    file = tmp_path / "drill.yaml"
    file.write_text(text.replace("  runbook: pass\n", "  runbook: {verdict: pass, reaction_up_to: 6s}\n"))
    wanted = expectation(load_drill(tmp_path), RUNBOOK)
    assert wanted is not None
    assert [wanted.at(each * NS).verdict for each in (1, 6, 7)] == ["pass", "pass", "fail"]
    file.write_text(text.replace("  runbook: pass\n", "  runbook: {verdict: fail, reaction_up_to: 6s}\n"))
    with pytest.raises(Refused, match="but the verdict is not pass"):
        load_drill(tmp_path)
    file.write_text(text.replace("  no-fault: pass\n", "  no-fault: {verdict: pass, reaction_up_to: 6s}\n"))
    with pytest.raises(Refused, match="reaction_up_to"):
        load_drill(tmp_path)


def with_objectives(drill: Drill, folder: Path, objectives: str) -> Drill:
    """The same drill with other objectives."""
    (folder / "runbook.yaml").write_bytes((drill.folder / "runbook.yaml").read_bytes())
    head, _, rest = (drill.folder / "drill.yaml").read_text().partition("objectives:\n")
    tail = rest[rest.index("checks:\n") :]
    (folder / "drill.yaml").write_text(f"{head}objectives:\n{objectives}{tail}")
    return load_drill(folder)


def test_an_objective_may_limit_a_window_or_a_service_and_say_why(drill: Drill, tmp_path: Path) -> None:
    found = with_objectives(
        drill,
        tmp_path,
        "  wrong_figures_acted_on: {at_most: 9, after_first_step: 0, because: {en: few, ja: 少数}, approved_by: CISO}\n"
        "  service_s: {of: {orders: 5s, inquiry: 2.5}}\n",
    ).objectives
    assert [(one.id, one.limit) for one in found] == [
        ("wrong_figures_acted_on", 9),
        ("wrong_figures_acted_on.after_first_step", 0),
        ("service_s.orders", 5),
        ("service_s.inquiry", 2.5),
    ]
    assert (found[1].because, found[1].approved_by) == ({"en": "few", "ja": "少数"}, "CISO")
    assert (found[2].window, found[2].of) == ("all", "orders")


@pytest.mark.parametrize(
    ("objectives", "says"),
    [
        ("  detect: {after_alert: 3s}\n", "objectives.detect: unknown key 'after_alert'; known: at_most, because"),
        ("  service_s: {of: {ordrs: 3s}}\n", "unknown service 'ordrs', did you mean 'orders'? known: "),
        ("  duplicated: {because: {en: a, ja: b}}\n", "expected a limit: at_most"),
        ("  detect: 3s\naccepts:\n  detect: {en: a, ja: b}\n", "accepts: unknown metric that counts harm 'detect'"),
        ("  detect: 3s\naccepts:\n  duplicated: {en: a}\n", "accepts.duplicated: missing key 'ja'"),
    ],
)
def test_a_limit_or_an_acceptance_that_makes_no_sense_is_refused(
    drill: Drill, tmp_path: Path, objectives: str, says: str
) -> None:
    with pytest.raises(Refused) as caught:
        with_objectives(drill, tmp_path, objectives)
    assert says in str(caught.value)


def test_what_a_drill_accepts_is_fixed_in_the_plan(drill: Drill) -> None:
    assert plan(drill, RUNBOOK, 1).accepts == {
        name: {"en": why.en, "ja": why.ja} for name, why in drill.accepts.items()
    }
    assert drill.accepts
