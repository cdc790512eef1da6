"""What usage costs."""

from typing import get_args

import pytest

from openinspector.model.account import RESOURCE_SCAN_TYPES
from openinspector.model.usage import PRICES, TRIAL_TYPES, Usage, UsageType, cost_to_date, monthly_cost


@pytest.mark.parametrize(
    ("kind", "total", "dollars"),
    [  # the samples of the AWS CLI's reference of list-usage-totals
        ("EC2_AGENTLESS_INSTANCE_HOURS", 1893.4784083333334, 4.6022044647),
        ("EC2_INSTANCE_HOURS", 10882.050784722222, 18.892449279),
        ("LAMBDA_FUNCTION_CODE_HOURS", 6543.043648333333, 5.4525363736),
        ("LAMBDA_FUNCTION_HOURS", 9375.379274, 3.9064080309),
        ("ECR_RESCAN", 6, 0.06),
        ("ECR_INITIAL_SCAN", 1, 0.09),
    ],
)
def test_a_month_costs_what_it_does_at_the_public_prices(kind, total, dollars):
    assert monthly_cost(Usage(type=kind, total=total, days=30)) == pytest.approx(dollars, rel=1e-9)


@pytest.mark.parametrize(
    ("used", "amount"),
    [
        (Usage(type="EC2_INSTANCE_HOURS", total=24, days=1, running=1), 720),
        (Usage(type="EC2_INSTANCE_HOURS", total=24, days=1), 24),  # it is stopped now
        (Usage(type="EC2_INSTANCE_HOURS", total=0, days=0, running=2), 2 * 29 * 24),
        (Usage(type="EC2_INSTANCE_HOURS", total=720, days=30, running=9), 720),
        (Usage(type="EC2_INSTANCE_HOURS", total=1440, days=60, running=9), 720),
        (Usage(type="ECR_RESCAN", total=3, days=1), 90),
        (Usage(type="ECR_RESCAN", total=3, days=0), 90),
        (Usage(type="ECR_RESCAN", total=60, days=60, free=60), 30),
    ],
)
def test_a_month_is_what_was_used_and_goes_on(used, amount):
    assert monthly_cost(used, {used.type: 1.0}) == pytest.approx(amount)


def test_what_was_used_in_the_free_trial_has_cost_nothing():
    one = Usage(type="ECR_RESCAN", total=30, days=30, free=20)
    assert cost_to_date(one) == pytest.approx(0.1)
    assert cost_to_date(one, {}) is None
    assert cost_to_date(Usage(type="ECR_RESCAN", total=0.1, days=1, free=0.2)) == 0  # they were added up differently


def test_every_priced_type_and_trial_exists():
    assert PRICES.keys() <= set(get_args(UsageType))
    assert TRIAL_TYPES.keys() <= set(get_args(UsageType))
    assert set(TRIAL_TYPES.values()) <= set(RESOURCE_SCAN_TYPES)
