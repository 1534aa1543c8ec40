"""``findings.yaml`` read and written: whole or not at all, and never over what somebody else has written meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import yaml

from drills.errors import Refused
from drills.record.evidence import replace
from drills.record.names import StoreError, Unusable
from drills.spec.findingsfile import SCHEMA, Finding, FindingsFile, load_findings
from targets.visible import visible

HEADER = (
    "# Findings of drills. Written by kunren findings; owner, due, ticket, cause and note may be edited by hand.\n"
    "# Comments below this block are not kept: use note.\n"
)


@dataclass(frozen=True, slots=True)
class Store:
    """The file as it was read: its findings and its very bytes, None where there was no file."""

    file: Path
    findings: tuple[Finding, ...]
    content: bytes | None

    @staticmethod
    def read(file: Path) -> Store:
        """BadInput with file:line where it is not such a file; no findings where there is none."""
        content = _content(file)  # before it is read: what somebody writes in between is seen, and not written over
        return Store(file, load_findings(file), content)

    def find(self, ref: str) -> Finding:
        """The one that ``ref`` means: an id, or an unambiguous beginning of one. Refused else."""
        exact = [each for each in self.findings if each.id == ref]
        matching = exact or [each for each in self.findings if each.id.startswith(ref) and len(ref) > 2]
        if len(matching) == 1:
            return matching[0]
        known = ", ".join(each.id for each in self.findings[:8]) or "none"
        says = f"'{ref}' may mean {len(matching)} findings" if matching else f"no finding '{ref}' in {self.file}"
        raise Refused(says, f"known: {known}{' …' if len(self.findings) > 8 else ''}")

    def write(self, findings: Sequence[Finding]) -> bool:
        """The findings instead of those that were read; whether anything changed. Refused where the file has changed
        meanwhile, Unusable where it cannot be written.
        """
        content = rendered(findings, _comments(self.content))
        if content == self.content or (self.content is None and not findings):
            return False
        if _content(self.file) != self.content:
            raise Refused(f"{self.file} was changed by somebody else meanwhile; nothing was written", "try again")
        try:
            replace(self.file, content)
        except Unusable:
            raise
        except StoreError as error:
            raise Unusable(error.message, "name a file that may be written to with --file") from error
        return True

    def replaced(self, finding: Finding) -> list[Finding]:
        """All findings with this one in the place of its earlier self."""
        return [finding if each.id == finding.id else each for each in self.findings]


def rendered(findings: Sequence[Finding], comments: str = HEADER) -> bytes:
    """The file's bytes: keys in the order of the form, one that is not set left out."""
    whole = msgspec.to_builtins(FindingsFile(schema=SCHEMA, findings=tuple(findings)), builtin_types=(date,))
    text = yaml.dump(
        _plain(whole), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=120, default_flow_style=None
    )
    return (comments + text).encode()


class _Plain(yaml.SafeDumper):
    """Without anchors and aliases, which the reader does not take."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _plain(value: Any) -> Any:
    """Dates and texts as they are to be read again: what a terminal would obey is shown."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, str):
        return _Text(visible(value))
    if isinstance(value, float):
        return int(value) if value.is_integer() else _Number(value)
    return value


class _Text(str):
    """Text, to be quoted where YAML 1.1 or the reader would take it for something else."""


class _Number(float):
    """A number without an exponent."""


def _write_text(dumper: yaml.SafeDumper, data: _Text) -> yaml.Node:
    return dumper.represent_str(str(data))


def _write_number(dumper: yaml.SafeDumper, data: _Number) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:float", f"{float(data):.6f}".rstrip("0"))


_Plain.add_representer(_Text, _write_text)
_Plain.add_representer(_Number, _write_number)


def _comments(content: bytes | None) -> str:
    """The block of comments with which the file begins."""
    if content is None:
        return HEADER
    lines = content.decode("utf-8-sig").splitlines(keepends=True)
    kept = []
    for line in lines:
        if line.strip() and not line.startswith("#"):
            break
        kept.append(line)
    return "".join(kept) or HEADER


def _content(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None
