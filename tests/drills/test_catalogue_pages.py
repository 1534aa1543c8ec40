"""Every alert of the brokerage links to a page that exists and says that it is for that alert."""

from __future__ import annotations

from drills.spec.library import catalogue_files
from drills.spec.runbook import load_runbook
from targets.brokerage.monitor.rules import load_all
from targets.brokerage.monitor.service import RULES
from targets.brokerage.operations.tool import TOOL


def test_every_alert_leads_to_a_page_for_it() -> None:
    right = {page.id: page for page in (load_runbook(file, TOOL) for file in catalogue_files())}
    for group in load_all(RULES):
        for rule in group.rules:
            page = right.get(rule.annotations.get("runbook", ""))
            assert page is not None, f"{rule.alert} links to no page"
            assert rule.alert in page.alerts, f"{rule.alert} links to {page.id}, which is for {page.alerts}"
