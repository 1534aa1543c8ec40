"""Target files: what they say, and that whatever else stands in them is refused with its line."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

import targets
from drills.errors import BadInput, MissingMeans, UnknownName
from drills.record.arm import FALSE_ALARM, NO_ACTION, RUNBOOK
from drills.spec import planning
from drills.spec.drill import Drill, load_drill
from drills.spec.files import CATALOGUE
from drills.spec.forms import keys_of
from drills.spec.lint import lint
from drills.spec.schemas import SCHEMAS
from drills.spec.target import system, words_of
from drills.spec.targetfile import load_target
from drills.spec.targetform import TargetFile
from drills.spec.vocabulary import vocabulary
from targets.description import ARGUMENT, PLACEHOLDERS, Description, Handshake, Hooked, Proxied, filled
from targets.target import Fetch

EXAMPLE = CATALOGUE.with_name("examples") / "datasette"

GOOD = """\
target: notes
services:
  db: {start: ["{here}/db.sh", "{port}"], health: tcp, port: 5999}
  web: {start: [notes, --port, "{port}", --db, "{link.web-db}"], health: /healthz, stop: [notes, stop], within: 20s}
links:
  front: {upstream: web, listen: 8000}
  web-db: {upstream: db}
  old-db: {upstream: "127.0.0.1:5432"}
customers: front
loads:
  reading:
    pages: {get: /notes, rate: 20}
    writes: {post: "/notes?text=x", rate: 2.5, expect: 201}
handshake: {service: web, path: /drill-target.json}
unsupported: [books, operator, alerts]
prepare: [[make, "{shared}/notes", 3]]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "target.yaml"
    path.write_text(GOOD)
    return path


def test_what_it_says(file: Path) -> None:
    found, source = load_target(file)
    assert source == GOOD.encode()
    assert found == Description(
        name="notes",
        here=str(file.parent),
        sha256=found.sha256,
        services={
            "db": Hooked(start=("{here}/db.sh", "{port}"), health="tcp", port=5999),
            "web": Hooked(
                start=("notes", "--port", "{port}", "--db", "{link.web-db}"),
                health="/healthz",
                stop=("notes", "stop"),
                within_s=20.0,
            ),
        },
        links={"front": Proxied("web", 8000), "web-db": Proxied("db"), "old-db": Proxied("127.0.0.1:5432")},
        customers="front",
        handshake=Handshake("web", "/drill-target.json"),
        loads={
            "reading": {"pages": Fetch("GET", "/notes", 200, 20.0), "writes": Fetch("POST", "/notes?text=x", 201, 2.5)}
        },
        unsupported=("books", "operator", "alerts"),
        prepare=(("make", "{shared}/notes", "3"),),
    )


BAD = {
    "unknown key": ("customers:", "customer:", 9, "unknown key 'customer', did you mean 'customers'?"),
    "no handshake": ("handshake: {service: web, path: /drill-target.json}\n", "", 1, "missing key 'handshake'"),
    "handshake of nobody": (
        "{service: web, path",
        "{service: wep, path",
        14,
        "handshake.service: unknown service",
    ),
    "all is offered": (
        "[books, operator, alerts]",
        "[operator, alerts]",
        15,
        "unsupported: books cannot be taken",
    ),
    "a thing nobody knows": ("[books, ", "[cooks, books, ", 15, "unsupported[0]: unknown thing 'cooks'"),
    "a link to elsewhere": (
        "127.0.0.1:5432",
        "10.0.0.1:5432",
        8,
        "links.old-db.upstream: unknown service",
    ),
    "a name for an address": ("127.0.0.1:5432", "database:5432", 8, "links.old-db.upstream: unknown service"),
    "every interface": ("127.0.0.1:5432", "[::]:5432", 8, "links.old-db.upstream: unknown service"),
    "a stray brace": ("[notes, stop]", "[notes, 'a{b']", 4, "services.web.stop[1]: a single '{' that belongs to no"),
    "a stray closing brace": ("[notes, stop]", "['}{port}']", 4, "services.web.stop[0]: a single '}' that belongs to"),
    "a name in capitals": ("{link.web-db}", "{Port}", 4, "services.web.start[4]: a single '{' that belongs to no name"),
    "a NUL in an argument": ("[notes, stop]", '[notes, "a\\0b"]', 4, "a NUL byte"),
    "a NUL in a path": ("health: /healthz", 'health: "/h\\0"', 4, "a NUL byte"),
    "a NUL in a key": ("  old-db:", '  "old\\0db":', 8, "a NUL byte"),
    "a run's own in prepare": ("{shared}/notes", "{seed}", 16, "prepare[0]: {seed} is of one run alone"),
    "a run's own port in prepare": ("{shared}/notes", "{port.db}", 16, "prepare[0]: {port.db} is of one run alone"),
    "customers of no link": ("customers: front", "customers: web", 9, "customers: unknown link 'web'"),
    "a shell's line": (
        "[notes, stop]",
        "notes stop",
        4,
        "services.web.stop: found 'notes stop', expected a command",
    ),
    "a name in braces": ("{link.web-db}", "{link.web}", 4, "services.web.start[4]: unknown name in braces 'link.web'"),
    "a port of nobody": ("{shared}/notes", "{port}", 16, "prepare[0][1]: unknown name in braces 'port'"),
    "no path": (
        "health: /healthz",
        "health: healthz",
        4,
        "services.web.health: found 'healthz', expected tcp",
    ),
    "two verbs": (
        "{get: /notes, rate: 20}",
        "{get: /a, post: /a, rate: 20}",
        12,
        "loads.reading.pages: exactly one",
    ),
    "too fast": ("rate: 20}", "rate: 5000}", 12, "loads.reading.pages.rate: found the number 5000, expected"),
    "a port twice": ("listen: 8000", "listen: 5999", 6, "links.front.listen: port 5999 stands twice"),
    "a port of the system": ("listen: 8000", "listen: 80", 6, "links.front.listen: found the number 80"),
    "the proxy's name": ("  db: {", "  toxiproxy: {", 3, "services: 'toxiproxy' is the proxy server's own name"),
    "slow to start": ("within: 20s", "within: 20m", 4, "services.web.within: found '20m', expected at most 120s"),
}


@pytest.mark.parametrize(("before", "after", "line", "says"), BAD.values(), ids=list(BAD))
def test_refused_with_its_line(file: Path, before: str, after: str, line: int, says: str) -> None:
    assert before in GOOD
    file.write_text(GOOD.replace(before, after))
    with pytest.raises(BadInput) as caught:
        load_target(file)
    assert str(caught.value).startswith(f"{file}:{line}: {says}")


AS_WRITTEN = ["3.10", "1.20", "+5", "2026.10", "0.00001", "12345678901234567.5", "-0", "0123", "1_000", "1e3", "0x1F"]
AS_WRITTEN += ["yes", "on", "true", "null", "~", "2026-11-22", "12:30:00", ".inf", "=", "<<"]


def test_arguments_are_as_they_are_written(file: Path) -> None:
    quoted = [f"'{word}'" for word in AS_WRITTEN]
    file.write_text(GOOD.replace("[notes, stop]", f"[notes, {', '.join([*AS_WRITTEN, *quoted])}, '']"))
    assert load_target(file)[0].services["web"].stop == ("notes", *AS_WRITTEN, *AS_WRITTEN, "")


def test_an_argument_that_is_nothing_is_refused(file: Path) -> None:
    file.write_text(GOOD.replace('prepare: [[make, "{shared}/notes", 3]]', "prepare:\n  - - make\n    -\n"))
    with pytest.raises(BadInput, match=r":18: prepare\[0\]\[1\]: found nothing, .*an empty argument is written ''"):
        load_target(file)


def test_names_are_as_they_are_written(file: Path) -> None:
    """A name may look like a number or a truth value."""
    text = GOOD.replace("front", "10").replace("web-db", "true").replace("reading:", "2026:").replace("  db:", "  7:")
    file.write_text(text.replace("target: notes", "target: 12").replace("upstream: db", "upstream: 7"))
    found, _ = load_target(file)
    assert (found.name, found.customers, list(found.links)) == ("12", "10", ["10", "true", "old-db"])
    assert (found.links["true"].upstream, list(found.loads)) == ("7", ["2026"])


def test_a_number_that_is_refused_is_shown_as_it_is_written(file: Path) -> None:
    file.write_text(GOOD.replace("health: /healthz", "health: 3.10"))
    with pytest.raises(BadInput, match=r"services\.web\.health: found the number 3\.10, expected tcp"):
        load_target(file)


BRACES = {
    "{port}": "8000",
    "{{port}}": "{port}",
    "{{{port}}}": "{8000}",
    "{{}}": "{}",
    '{{"a": {{"b": {port}}}}}': '{"a": {"b": 8000}}',
    "{{{{.State}}}}": "{{.State}}",
    "awk {{print $1}}": "awk {print $1}",
}


@pytest.mark.parametrize(("word", "becomes"), BRACES.items())
def test_a_literal_brace_is_written_twice(file: Path, word: str, becomes: str) -> None:
    file.write_text(GOOD.replace("[notes, stop]", f"[notes, '{word}']"))
    (_, found) = load_target(file)[0].services["web"].stop or ("", "")
    assert filled((found,), {"port": "8000"}) == [becomes]
    assert re.search(ARGUMENT, word)


@pytest.mark.parametrize("word", ["{", "}", "a{b", "{ port }", "{}", "{Port}", "}}{", "{{port}", "{{{port}}", "a\0"])
def test_the_schema_knows_a_stray_brace_too(file: Path, word: str) -> None:
    shown = word.replace("\0", "\\0")
    file.write_text(GOOD.replace("[notes, stop]", f'[notes, "{shown}"]'))
    with pytest.raises(BadInput, match=r":4: .*(a single '[{}]' that belongs to no name|a NUL byte)"):
        load_target(file)
    (command,) = [SCHEMAS["target"]()["properties"]["prepare"]["items"]]
    assert not re.search(command["items"]["pattern"], word)


@pytest.mark.parametrize("upstream", ["127.0.0.1:5432", "127.9.9.9:1", '"[::1]:5432"', "localhost:5432"])
def test_a_link_may_lead_to_this_machine(file: Path, upstream: str) -> None:
    file.write_text(GOOD.replace('"127.0.0.1:5432"', upstream))
    assert load_target(file)[0].links["old-db"] == Proxied(upstream.strip('"'))


def test_inputs_of_prepare_are_below_the_files_folder(file: Path) -> None:
    (file.parent / "src" / "deep").mkdir(parents=True)
    (file.parent / "src" / "deep" / "a.py").write_text("")
    file.write_text(GOOD + 'prepare_inputs: ["src/**/*.py", target.yaml]\n')
    assert load_target(file)[0].prepare_inputs == ("src/**/*.py", "target.yaml")
    for wrong, says in {
        "[srk]": rf"prepare_inputs\[0\]: 'srk' names nothing that is in {re.escape(str(file.parent))}",
        "[../x]": r"prepare_inputs\[0\]: found '\.\./x', expected a path below",
        "[/etc/passwd]": r"prepare_inputs\[0\]: found '/etc/passwd', expected a path below",
        "src": r"prepare_inputs: found 'src', expected a list",
    }.items():
        file.write_text(GOOD + f"prepare_inputs: {wrong}\n")
        with pytest.raises(BadInput, match=f":17: {says}"):
            load_target(file)
    file.write_text(GOOD.replace("prepare: [[make", "# [[make") + "prepare_inputs: [src]\n")
    with pytest.raises(BadInput, match=":17: prepare_inputs: there is no prepare"):
        load_target(file)


def test_a_targets_name_may_be_a_file(file: Path) -> None:
    assert system(str(file)).capabilities().links == {"front", "web-db", "old-db"}
    assert system("local").source is None
    with pytest.raises(UnknownName, match="unknown target 'staging'; known: local, compose, or a FILE"):
        system("staging")
    with pytest.raises(BadInput, match=r"absent\.yaml:1: no such file"):
        system(str(file.with_name("absent.yaml")))


# -- drills for it ------------------------------------------------------------------------------------------------

DRILL = """\
drill: web-dies
title: {en: The web process dies, ja: Webプロセスの異常終了}
load: reading
baseline: 5s
timeline:
  - {at: 1s, for: 4s, fault: {kind: kill, service: web}}
objectives: {recover: 9s, detect: 3s}
arms: {no-fault: pass, no-action: pass}
cap: 18s
"""


def drill_for(file: Path, text: str = DRILL) -> Drill:
    path = file.with_name("drill.yaml")
    path.write_text(text)
    return load_drill(path, vocabulary(system(str(file)).capabilities()))


def test_a_drill_need_not_speak_of_what_is_not_offered(file: Path) -> None:
    drill = drill_for(file)
    assert (drill.sources, drill.phase, drill.alerts, drill.runbook) == ((), "", (), None)
    assert drill.services == {"pages": 20.0, "writes": 2.5}
    capabilities = system(str(file)).capabilities()
    assert planning.missing(drill, capabilities) == ()
    assert planning.known_arms(drill) == ("no-fault", "no-action")
    assert planning.usual_arm(drill) == NO_ACTION
    with pytest.raises(UnknownName, match="unknown arm 'runbook'; known: no-fault, no-action"):
        planning.runbook_of(drill, RUNBOOK)
    assert planning.plan(drill, NO_ACTION, 7).runbook_sha256 is None


DRILL_BAD = {
    "a link of another target": ("kind: kill, service: web", "kind: down, link: api-pg", 6, "unknown link 'api-pg'"),
    "a service of another target": ("service: web", "service: postgres", 6, "unknown service 'postgres'"),
    "a load of another target": ("load: reading", "load: day-session", 3, "unknown load profile 'day-session'"),
    "an alert": (
        "cap: 18s", "cap: 18s\nalerts: [OrdersBurn]", 10,
        "alerts: the target offers no alerts: it has no monitor; leave it out",
    ),
    "a page": (
        "cap: 18s", "cap: 18s\nrunbook: runbook.yaml", 10,
        "runbook: the target offers no operator: there is nothing to follow it with; leave it out",
    ),
    "a phase": ("load: ", "phase: D3\nload: ", 3, "phase: the target offers no books: it has no business day"),
    "a time of the business day": (
        "cap: 18s", "cap: 18s\nbusiness_start: '09:30'", 10, "business_start: the target offers no books",
    ),
    "a check of books": (
        "cap: 18s", "checks:\n  - run-ended\n  - cash-conserved\ncap: 18s", 11,
        "checks[1]: the target offers no books, which cash-conserved needs; leave it out",
    ),
    "an arm that waits for an alert": (
        "no-action: pass", "no-action: {verdict: fail, by: [recover, detect]}", 8,
        "arms.no-action.by[1]: detect can never be red here: the target offers no alerts",
    ),
    "an arm that waits for a book": (
        "no-action: pass", "no-action: {verdict: fail, by: [cash-conserved]}", 8,
        "cash-conserved can never be red here: the target offers no books",
    ),
    "nothing to judge": ("{recover: 9s, ", "{", 7, "objectives: none can be judged"),
    "somebody who acts": ("no-action: pass", "runbook: pass", 8, "arms.runbook: somebody acts in it"),
    "stop where nobody orders": (
        "cap: 18s", "cap: 18s\nstop_if: {failure_ratio: {service: orders, above: 0.5, for: 5s}}", 10,
        "stop_if.failure_ratio.service: unknown service of load reading 'orders'; known: pages, writes",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after", "line", "says"), DRILL_BAD.values(), ids=list(DRILL_BAD))
def test_a_drill_speaks_of_its_own_target(file: Path, before: str, after: str, line: int, says: str) -> None:
    assert before in DRILL
    with pytest.raises(BadInput) as caught:
        drill_for(file, DRILL.replace(before, after))
    assert caught.value.line == line
    assert says in caught.value.says


def test_what_cannot_be_planted_is_refused_with_its_line(file: Path) -> None:
    planted = "{kind: planted, what: skewed-lots, account: C-0001, outlasts: 1}"
    with pytest.raises(BadInput) as caught:
        drill_for(file, DRILL.replace("{kind: kill, service: web}", planted))
    assert caught.value.line == 6
    assert caught.value.says == "timeline[0].fault.what: unknown condition 'skewed-lots'; known: none"
    assert caught.value.exit_code == 3


def test_an_incident_may_be_cited_and_standing_checks_named(file: Path) -> None:
    drill = drill_for(file, DRILL.replace("load:", "sources: [fsa-31]\nchecks: [baseline-good]\nload:"))
    assert (drill.sources, drill.checks[0]) == (("fsa-31",), "baseline-good")


# -- the target forgotten -----------------------------------------------------------------------------------------

NEEDED = "a drill for it must have sources, phase, checks, runbook, alerts"
HAS_NOT = ", and it has no load profile 'reading', no service 'web'"


@pytest.mark.parametrize("runtime", ["local", "compose"])
def test_a_target_that_was_forgotten_is_asked_for_once(tmp_path: Path, runtime: str) -> None:
    path = tmp_path / "drill.yaml"
    path.write_text(DRILL)
    with pytest.raises(BadInput) as caught:
        load_drill(path, words_of(runtime))
    says = f"{path}:3: not written for target {runtime}: {NEEDED}{HAS_NOT}"
    assert str(caught.value) == f"{says} (name the file that describes its system: --target FILE)"


@pytest.mark.parametrize("above", [1, 2])
def test_the_likely_target_is_named(tmp_path: Path, above: int) -> None:
    path = tmp_path / "app" / "drills" / "drill.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(DRILL)
    likely = path.parents[above - 1] / "target.yaml"
    likely.write_text(GOOD)
    fix = f"(name the file that describes its system, which is likely --target {likely})"
    (found,) = lint([path], words_of("local"))
    assert str(found) == f"{path}:3: not written for target local: {NEEDED}{HAS_NOT} {fix}"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("load: reading", "load: day-session\nphase: D3"), "missing key 'sources'"),
        (("service: web", "service: api"), f"target local: {NEEDED}, and it has no load profile 'reading' (name"),
        (("cap: 18s", ""), f"target local: {NEEDED}{HAS_NOT} (name"),
        (("load: reading\n", ""), f"target local: {NEEDED}, and it has no service 'web' (name"),
        (("service: web", "service: [web, api, wep]"), "no service 'web', no service 'wep' (name"),
        (("timeline:\n", "timeline: 3\nx:\n"), "it has no load profile 'reading' (name"),
    ],
)
def test_only_a_drill_of_another_sort_is_taken_for_one(tmp_path: Path, change: tuple[str, str], says: str) -> None:
    path = tmp_path / "drill.yaml"
    path.write_text(DRILL.replace(*change))
    with pytest.raises(BadInput) as caught:
        load_drill(path)
    assert says in str(caught.value)


@pytest.mark.parametrize("text", ["drill: begun\n", "- a list\n", "drill: x\nload: day-session\n"])
def test_what_is_hardly_begun_is_not(tmp_path: Path, text: str) -> None:
    path = tmp_path / "drill.yaml"
    path.write_text(text)
    with pytest.raises(BadInput) as caught:
        load_drill(path)
    assert "--target" not in str(caught.value)


def test_a_drill_of_the_catalogue_does_not_fit(file: Path) -> None:
    with pytest.raises(BadInput, match="unknown load profile 'day-session'; known: reading"):
        load_drill("exchange-link-down", vocabulary(system(str(file)).capabilities()))


def test_who_acts_needs_to_be_told_and_to_have_a_tool(file: Path) -> None:
    brokerage = load_drill("exchange-link-down")
    capabilities = system(str(file)).capabilities()
    planning.refuse_arm(brokerage, NO_ACTION, capabilities, "x.yaml")
    with pytest.raises(MissingMeans) as caught:
        planning.refuse_arm(brokerage, RUNBOOK, capabilities, "x.yaml")
    assert caught.value.lacks == ("the target has no operator tool", "the target sends no alerts")
    with pytest.raises(MissingMeans) as caught:
        planning.refuse_arm(brokerage, FALSE_ALARM, capabilities, "x.yaml")
    assert caught.value.lacks == ("the target has no operator tool",)


def test_the_files_in_the_readme_are_well_formed(tmp_path: Path) -> None:
    readme = (Path(targets.__file__).parent / "README.md").read_text()
    found = re.findall(r"^ *```yaml\n(.*?)^ *```$", readme, re.DOTALL | re.MULTILINE)
    for text in map(textwrap.dedent, found):
        (tmp_path / f"{text.partition(':')[0]}.yaml").write_text(text)
    target = str(tmp_path / "target.yaml")
    assert {file.name for file in tmp_path.iterdir()} == {"target.yaml", "drill.yaml"}
    assert lint([tmp_path], words_of(target), system(target).capabilities()) == []


def test_the_readme_names_every_key_and_every_name_in_braces() -> None:
    readme = (Path(targets.__file__).parent / "README.md").read_text()
    assert [key for key in (*keys_of(TargetFile)[0], "prepare") if f"| `{key}` |" not in readme] == []
    assert [name for name in PLACEHOLDERS if f"`{{{name}}}`" not in readme] == []


def test_the_example_is_well_formed_and_short() -> None:
    target = EXAMPLE / "target.yaml"
    assert lint([EXAMPLE], vocabulary(system(str(target)).capabilities())) == []
    described = [line for line in target.read_text().splitlines() if not line.startswith("#")]
    assert len(described) <= 20
