from __future__ import annotations

from pathlib import Path

import pytest

from targets.brokerage import config as brokerage

from .stack import make_config


def test_what_is_saved_is_what_every_service_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = make_config(tmp_path, {"api": 1}, {})
    brokerage.save(config)
    assert brokerage.load(tmp_path) == config
    monkeypatch.setenv("KUNREN_STACK", str(tmp_path))
    assert brokerage.load() == config


def test_no_stack_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUNREN_STACK", raising=False)
    with pytest.raises(FileNotFoundError, match="KUNREN_STACK"):
        brokerage.load()


def test_an_unknown_field_is_refused(tmp_path: Path) -> None:
    path = brokerage.save(make_config(tmp_path, {}, {}))
    path.write_text(path.read_text().replace('"seed"', '"sead": 1, "seed"'))
    with pytest.raises(ValueError, match="sead"):
        brokerage.load(tmp_path)


def test_tokens_are_of_one_customer_and_one_stack() -> None:
    token = brokerage.customer_token("secret", "C-0001")
    assert brokerage.customer_of("secret", token) == "C-0001"
    assert brokerage.customer_of("other", token) is None
    assert brokerage.customer_of("secret", token.replace("C-0001", "C-0002")) is None
    assert brokerage.customer_of("secret", "") is None


def test_passwords_come_from_the_seed() -> None:
    assert brokerage.password(1, "C-0001") == brokerage.password(1, "C-0001")
    assert len({brokerage.password(seed, name) for seed in (1, 2) for name in ("C-0001", "C-0002")}) == 4


def test_settings_of_a_drill_take_the_place_of_the_usual_ones(tmp_path: Path) -> None:
    config = make_config(tmp_path, {}, {})
    changed = brokerage.adjusted(
        config, {"gateway.window": 2.0, "edge.max_connection_age_s": 8, "gateway.logon_s": 1.5}
    )
    assert (changed.gateway.window, changed.gateway.logon_s, changed.edge.max_connection_age_s) == (2, 1.5, 8.0)
    assert isinstance(changed.gateway.window, int)
    assert changed.api == config.api
    assert brokerage.adjusted(config, {}) == config
    with pytest.raises(KeyError):
        brokerage.adjusted(config, {"gateway.windo": 2})
