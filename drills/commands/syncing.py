"""The findings brought up to date with the runs at hand, for the verbs that do so."""

from __future__ import annotations

from pathlib import Path

from drills.archive.index import indexed
from drills.archive.row import RunRow
from drills.errors import Refused
from drills.findings.derive import declared_to_pass
from drills.findings.store import Store
from drills.findings.sync import Synced, synced
from drills.record.folder import read_run
from drills.record.names import StoreError
from drills.record.register import read_register
from drills.spec.drill import catalogue


def bring_up_to_date(store: Store, runs: Path) -> Synced:
    """Synchronise and write. Refused where there are no runs, or the file has changed meanwhile."""
    if not runs.is_dir():
        raise Refused(f"there is no folder {runs}", "name the folder of the runs with --runs")
    own = catalogue(variants=True)

    def file_of(row: RunRow) -> str | None:
        try:
            asked = read_run(runs / row.run).asked
        except StoreError:
            return None
        return None if asked is None or asked.drill in own else asked.drill

    cards = indexed(runs)
    declared = declared_to_pass(runs, cards.rows)
    found = synced(store.findings, cards.rows, read_register(runs), declared, file_of, cards.unread)
    store.write(found.findings)
    return found
