"""`heatcat reproduce --panels` refuses letters before anything is computed."""

import pytest
from click.testing import CliRunner

from ensemble import InvalidInput
from heatcat.cli import cli


@pytest.mark.parametrize(
    ("figure", "letters", "refusal"),
    [("fig2", "ax", "fig2 has no panel 'x': choose from a to d"),
     ("all", "h", "fig2 has no panel 'h': choose from a to d")],
)  # fmt: skip
def test_letters_of_no_panel_are_refused_before_the_sweeps(figure, letters, refusal, tmp_path):
    out = tmp_path / "out"
    result = CliRunner().invoke(
        cli, ["reproduce", figure, "--quick", "--out", str(out), "--panels", letters]
    )
    assert isinstance(result.exception, InvalidInput)
    assert str(result.exception) == refusal
    assert not out.exists()
