import math
from dataclasses import replace

import pytest

from delivery.canary.figures import describe_harm, describe_success
from tests.delivery.canary.observations import HEALTHY, observe


@pytest.mark.parametrize(
    ("highest", "ratio"), [(1, "1"), (2.5, "2.5"), (999.6, "1,000"), (2500, "2,500"), (1e300, "over 1,000,000")]
)
def test_the_likelihood_ratio_has_no_scientific_notation(highest: float, ratio: str) -> None:
    evidence = observe()
    harmful = replace(evidence, harm=replace(evidence.harm, highest=math.log(highest)))
    assert describe_harm(harmful) == f"likelihood ratio for harm {ratio} (FAIL at 100)"


def test_the_success_rate_has_its_requests_its_interval_and_the_minimum() -> None:
    assert describe_success(observe(*[HEALTHY] * 10)) == (
        "success rate 98.00 % of 2000 requests in this release "
        "(99 % confidence interval 96.33 % to 99.07 %, minimum 95 %)"
    )
