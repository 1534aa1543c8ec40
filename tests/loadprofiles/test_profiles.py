from __future__ import annotations

import subprocess
import sys

import pytest

from drills.record.history import OUTCOMES
from loadprofiles import PROFILES, Profile
from loadprofiles.profiles import Hot, Named
from loadprofiles.samples import OutcomeCode


def test_first_profile_is_the_day_session() -> None:
    profile = PROFILES["day-session"]
    assert next(iter(PROFILES)) == "day-session"
    assert list(profile.services.items()) == [("orders", 25.0), ("inquiry", 35.0)]
    assert profile.customers == 1500
    assert (profile.patience.connect_s, profile.patience.total_s) == (1.0, 4.0)


def test_in_the_evening_people_repay_and_a_fifth_of_them_is_of_one_chunk_of_the_batch() -> None:
    profile = PROFILES["evening-session"]
    assert list(profile.services.items()) == [("orders", 22.0), ("repayment", 14.0), ("inquiry", 24.0)]
    assert profile.hot == Hot(600, 700, 0.2)
    assert profile.behaviour.repay == 1.0


def test_hot_customers_must_exist() -> None:
    with pytest.raises(ValueError, match="hot names no customers"):
        Profile("x", {"orders": 1.0}, hot=Hot(5, 5, 0.2))


def test_a_share_of_the_customers_comes_by_a_name() -> None:
    names = [Profile("x", {"orders": 1.0}, 10, named=Named("app.example", 0.6)).name_of(n) for n in range(10)]
    assert names.count("app.example") == 6
    assert names[:5].count("app.example") == 3
    assert {Profile("x", {"orders": 1.0}).name_of(n) for n in range(10)} == {""}
    with pytest.raises(ValueError, match="named has no name"):
        Profile("x", {"orders": 1.0}, named=Named("", 0.5))


def test_a_share_of_the_customers_resumes_whether_they_come_by_a_name_or_not() -> None:
    profile = PROFILES["browser-session"]
    who = [(bool(profile.name_of(n)), profile.resumes_of(n)) for n in range(profile.customers)]
    assert {each: who.count(each) for each in set(who)} == {
        (True, True): 18, (True, False): 18, (False, True): 12, (False, False): 12,
    }  # fmt: skip
    assert not any(PROFILES["app-session"].resumes_of(n) for n in range(60))
    with pytest.raises(ValueError, match="resumes is"):
        Profile("x", {"orders": 1.0}, resumes=1.5)


def test_the_package_is_cheap_to_import() -> None:
    code = "import sys, loadprofiles; print(sorted({'locust', 'gevent', 'numpy'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert found.stdout.strip() == "[]"


def test_the_harness_side_never_imports_locust() -> None:
    code = "import sys, loadprofiles.process; print(sorted({'locust', 'gevent'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert found.stdout.strip() == "[]"


def test_outcome_codes_are_those_the_judge_reads() -> None:
    assert [each.value for each in OutcomeCode] == list(range(len(OUTCOMES)))
    assert [each.word for each in OutcomeCode] == [each.value for each in OUTCOMES]


@pytest.mark.parametrize(
    ("services", "customers", "says"),
    [({"lending": 1.0}, 10, "unknown service"), ({"orders": 0.0}, 10, "rate"), ({"orders": 1.0}, 0, "customers")],
)
def test_a_senseless_profile_is_refused(services: dict[str, float], customers: int, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Profile("x", services, customers)
