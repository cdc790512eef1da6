"""Buckets, by a clock that the test turns."""

from hypothesis import given
from hypothesis import strategies as st

from openinspector.api.throttle import DEFAULT_RATES, Rate, Throttle

ONE, OTHER = "111111111111", "222222222222"
RATES = dict(DEFAULT_RATES, read=Rate(burst=3, per_second=2), write=Rate(burst=1, per_second=0.1))


def test_a_burst_is_admitted_and_then_what_flows_in():
    throttle = Throttle(RATES)
    assert [throttle.take(ONE, "read", 10.0) for _ in range(5)] == [0, 0, 0, 1, 1]
    assert throttle.take(ONE, "read", 10.4) == 1
    assert throttle.take(ONE, "read", 10.5) == 0
    assert throttle.take(ONE, "read", 10.5) == 1
    assert [throttle.take(ONE, "read", 1000.0) for _ in range(4)] == [0, 0, 0, 1]


def test_the_wait_that_is_told_is_enough_and_no_more():
    throttle = Throttle(RATES)
    assert throttle.take(ONE, "write", 0.0) == 0
    assert throttle.take(ONE, "write", 0.0) == 10
    assert throttle.take(ONE, "write", 7.5) == 3
    assert throttle.take(ONE, "write", 9.9) == 1
    assert throttle.take(ONE, "write", 10.1) == 0


def test_accounts_and_classes_do_not_share():
    throttle = Throttle(RATES)
    assert throttle.take(ONE, "write", 0.0) == 0
    assert throttle.take(ONE, "write", 0.0) > 0
    assert throttle.take(OTHER, "write", 0.0) == 0
    assert throttle.take(ONE, "read", 0.0) == 0


def test_a_clock_that_goes_back_gives_nothing():
    throttle = Throttle(RATES)
    assert throttle.take(ONE, "write", 100.0) == 0
    assert throttle.take(ONE, "write", 50.0) == 10
    assert throttle.take(ONE, "write", 100.0) == 10


def test_only_so_many_buckets_are_remembered():
    throttle = Throttle(RATES, most_buckets=2)
    assert [throttle.take(account, "write", 0.0) for account in ("a", "b", "a", "c")] == [0, 0, 10, 0]
    assert throttle.take("a", "write", 0.0) == 10  # used lately
    assert throttle.take("b", "write", 0.0) == 0  # forgotten


@given(st.lists(st.floats(0, 3), max_size=60), st.floats(1, 5), st.floats(0.1, 5))
def test_no_more_is_admitted_than_the_rate_says(gaps, burst, per_second):
    throttle = Throttle(dict(RATES, read=Rate(burst=burst, per_second=per_second)))
    now, admitted = 0.0, 0
    for gap in gaps:
        now += gap
        admitted += throttle.take(ONE, "read", now) == 0
    assert admitted <= burst + now * per_second + 1e-6


@given(st.floats(0.1, 5), st.integers(1, 20))
def test_who_waits_as_told_is_admitted(per_second, calls):
    throttle = Throttle(dict(RATES, read=Rate(burst=1, per_second=per_second)))
    now = 0.0
    for _ in range(calls):
        wait = throttle.take(ONE, "read", now)
        if wait:
            now += wait + 1e-6
            assert throttle.take(ONE, "read", now) == 0
