"""Each module of the judge, its domains and the record can be the first that is imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FIRST = """
import importlib, sys
broken = []
for name in sys.argv[1:]:
    for known in [each for each in sys.modules if each.partition(".")[0] == "drills"]:
        del sys.modules[known]
    try:
        importlib.import_module(name)
    except (ImportError, AttributeError) as error:
        broken.append(f"{name}: {error}")
print("\\n".join(broken))
"""


def test_no_module_has_to_be_imported_after_another() -> None:
    files = [file for part in ("judge", "domains", "record", "spec") for file in (ROOT / "drills" / part).rglob("*.py")]
    names = [".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for file in files]
    done = subprocess.run(
        [sys.executable, "-c", FIRST, *names], cwd=ROOT, capture_output=True, text=True, timeout=300, check=True
    )
    assert len(names) > 60
    assert done.stdout.split("\n") == ["", ""]
