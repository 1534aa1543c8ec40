"""The steps of the runbook that was followed, as the run folder has it: what they say and whose they are.

It was checked before the run; here it is only shown, so whatever cannot be read of it is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from drills.record.names import RUNBOOK
from drills.record.reading import content_of
from reports.texts import Lang


@dataclass(frozen=True, slots=True)
class StepText:
    """A step's words by language, and its role."""

    texts: Mapping[str, str]
    role: str

    def words(self, lang: Lang) -> str:
        """In one of the languages; in English where the other has none."""
        return self.texts.get(lang) or self.texts.get("en", "")


def step_texts(folder: Path) -> dict[str, StepText]:
    """By the step's id; empty where the folder has no runbook that can be read."""
    try:
        document = yaml.safe_load(content_of(folder / RUNBOOK))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValueError):
        return {}
    steps = document.get("steps") if isinstance(document, dict) else None
    found = [step for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []
    return {str(step.get("id", "")): StepText(_texts(step), str(step.get("role", ""))) for step in found}


def _texts(step: dict[str, Any]) -> dict[str, str]:
    texts = step.get("text")
    if not isinstance(texts, dict):
        return {"en": str(step.get("id", ""))}
    return {str(lang): str(words) for lang, words in texts.items()}
