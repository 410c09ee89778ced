"""What a remedy says of the range of real examples brings just these to what G reaches."""

from __future__ import annotations

import pytest

from sparring.rules.bug_data_range import _mended  # pyright: ignore[reportPrivateUsage]

ENDS = {"tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0)}


@pytest.mark.parametrize(
    ("low", "high", "how"),
    [
        (0.0, 1.0, "x * 2 - 1"),
        (0.0, 255.0, "x / 127.5 - 1"),
        (3.0, 254.0, "x / 127.5 - 1"),
        (-4.0, 4.0, "x / 4"),
        (-3.9996, 3.99, "x / 4"),
        (-4.3, 4.1, "x / 4.3"),
        (-3.1, 5.7, "(x - 1.3) / 4.4"),
        (12.0, 33.0, "(x - 22.5) / 10.5"),
        (-1000.0, -3.0, "(x + 500) / 500"),
        (5.0, 5.0, "(x - 5)"),
    ],
)
@pytest.mark.parametrize("layer", ENDS)
def test_a_scale_is_made_from_the_data(low: float, high: float, how: str, layer: str) -> None:
    said = str(_mended(layer, (low, low, (low + high) / 2, high, high)))
    code = said.partition(": ")[2].partition(";")[0]
    if layer == "tanh":
        assert code == how
    scaled = [eval(code, {"x": x}) for x in (low, high)]
    begin, end = ENDS[layer]
    slack = 0.01 * (end - begin)
    assert begin - slack <= scaled[0] <= scaled[1] <= end + slack
    assert low == high or scaled[1] - scaled[0] > 0.75 * (end - begin)  # and hardly any of the range is left unused
