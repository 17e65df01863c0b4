"""The ledger of claims: its form, its numbers against others, and verdicts that follow numbers."""

from __future__ import annotations

import json
import math
import re
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner

import heatcat.claims
from ensemble import InvalidInput
from heatcat.claims import CLAIMS, Claim, Finding, Judgement, Verdict, check, run
from heatcat.claims.ledger import OCR, Numbers, confirmed, misprint, small
from heatcat.claims.report import markdown, number
from heatcat.claims_command import claims as command

PAGE = Path(__file__).parents[2] / "docs" / "claims.md"
BY_ID = {claim.id: claim for claim in CLAIMS}
WORDS = {
    "confirmed",
    "confirmed within a stated range",
    "misprint",
    "property of the closure only",
    "contradicted",
    "not decidable from the text",
}
FAST = [
    "eq-7-detailed-balance",
    "eq-12-sign",
    "eq-18-efficiency",
    "eq-23-temperature",
    "cooling-power-relation",
    "fig-3-single-pair",
    "weak-drive-condition",
    "eq-30-sign",
    "eq-36-power",
    "eqs-38-39-fixed-point",
    "gaps-proportional",
    "transient-size",
    "cold-occupation",
    "eq-19-classical-bound",
    "fig-7-enhanced",
    "app-d-fluctuations",
    "heat-of-the-drive",
    "analytic-gap",
    "bare-gain-and-constancy",
    "local-noise-gain",
    "local-noise-macroscopic-gain",
    "local-noise-constancy",
]
"""Claims of every verdict but one; milliseconds each, seconds for those on local noise."""


@pytest.fixture(scope="module")
def fast():
    return {finding.claim.id: finding for finding in run(FAST)}


def numbers(found, name):
    assert not found[name].error
    return found[name].numbers


def other_verdicts(finding: Finding) -> set[str]:
    """Verdicts that the rule gives when one number at a time is false, or all are 0."""
    false: list[dict[str, float]] = [dict.fromkeys(finding.numbers, 0.0)]
    for name, value in finding.numbers.items():
        false += [{name: other} for other in (0.0, 1.0, -value, 1e3 * value + 1e3, -1e3)]
    found = set()
    for change in false:
        with suppress(ZeroDivisionError, ValueError):
            found.add(str(finding.claim.judge({**finding.numbers, **change}).verdict))
    return found - {finding.verdict}


class TestLedger:
    def test_claims_are_many_and_their_ids_are_unique_words(self):
        assert len(CLAIMS) >= 30
        assert len(BY_ID) == len(CLAIMS)
        assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) for name in BY_ID)

    def test_every_claim_says_where_what_and_how(self):
        for claim in CLAIMS:
            texts = (claim.where, claim.statement, claim.check)
            assert all(text and "\n" not in text for text in texts), claim.id

    def test_verdicts_are_the_words_that_scripts_know(self):
        assert {str(verdict) for verdict in Verdict} == WORDS

    def test_a_correction_goes_with_a_misprint_only(self):
        with pytest.raises(InvalidInput, match=r"give both or neither$"):
            Judgement(Verdict.MISPRINT, "off by a sign")
        with pytest.raises(InvalidInput, match=r"give both or neither$"):
            Judgement(Verdict.CONFIRMED, correction="a plus")
        with pytest.raises(InvalidInput, match=r"say why$"):
            Judgement(Verdict.WITHIN_RANGE)

    def test_a_check_that_raises_is_an_error_not_a_verdict(self):
        def measure() -> Numbers:
            raise ArithmeticError("no convergence")

        finding = check(Claim("broken", "nowhere", "a", "b", measure, lambda n: confirmed()))
        assert finding.verdict == "error"
        data = finding.as_json()
        assert data["verdict"] is None
        assert data["error"] == "ArithmeticError: no convergence"
        assert "*Error:* ArithmeticError: no convergence." in markdown([finding])

    def test_a_number_that_is_not_finite_is_an_error(self):
        found = check(
            Claim("nan", "", "", "", lambda: {"x": math.nan, "y": 1.0}, lambda n: confirmed())
        )
        assert (found.verdict, found.error) == ("error", "ArithmeticError: not finite: x")
        json.dumps(found.as_json(), allow_nan=False)

    def test_rules_for_small_numbers_and_for_misprints(self):
        rule = small("x", "y", tolerance=1e-9)
        assert rule({"x": 1e-10, "y": -1e-10}).verdict is Verdict.CONFIRMED
        assert rule({"x": 1e-10, "y": -1e-8}).verdict is Verdict.CONTRADICTED
        sign = misprint(printed="p", corrected="c", tolerance=1e-9, correction="minus", ocr="no")
        assert sign({"p": 0.0, "c": 2.0}).verdict is Verdict.CONFIRMED
        assert sign({"p": 2.0, "c": 0.0}).correction == "minus"
        assert sign({"p": 2.0, "c": 1.0}).verdict is Verdict.CONTRADICTED


class TestNumbers:
    """Against references from elsewhere: closed forms and the documented example."""

    def test_a_sign_is_off_by_twice_the_value(self, fast):
        assert numbers(fast, "eq-12-sign")["as_printed"] == pytest.approx(2, rel=1e-9)

    def test_efficiency_as_printed(self, fast):
        """T₁ = 30, T₂ = 130: 1 − 130/30 in place of 1 − 30/130."""
        expected = 130 / 30 - 30 / 130
        assert numbers(fast, "eq-18-efficiency")["as_printed"] == pytest.approx(expected)

    def test_single_pair_of_fig_3(self, fast):
        """C₁ = 1.000137 at ΔT = 20E₁, T̄ = 11.5E₁; the method qutip gives 1.00013676."""
        found = numbers(fast, "fig-3-single-pair")
        assert found["largest_C_1_at_20"] == pytest.approx(1.000137, abs=5e-6)
        assert found["largest_C_1_at_10"] < 0.9999

    def test_occupation_of_a_cold_bath(self, fast):
        found = numbers(fast, "cold-occupation")
        assert found["printed_over_exact"] == pytest.approx((math.exp(20) - 1) / 20)

    def test_transient_size_solves_its_equation(self, fast):
        """2 exp(−βE/N)/N first exceeds 1e-10 at N*."""
        N = round(1000 * numbers(fast, "transient-size")["ratio_m_1000"])
        assert 2 * math.exp(-1000 / N) / N > 1e-10 > 2 * math.exp(-1000 / (N - 1)) / (N - 1)

    def test_closure_fixed_point_without_drive(self, fast):
        """Eqs. 38–39 have ⟨(m)²⟩ = 1 + 4⟨m⟩/βE, and Eq. 39 is then a cubic in ⟨m⟩."""
        worst = 0.0
        for k in range(101):
            x = 10 ** (-2 + 5 * k / 100)
            low, high = -1.0, 0.0
            for _ in range(60):
                m = (low + high) / 2
                s = 1 + 4 * m / x
                rate = m * (-1 + 3 * s - 2 * m**2) + 2 / x * (1 - 3 * s)
                low, high = (low, m) if rate < 0 else (m, high)
            worst = max(worst, abs(m - (2 / x - 1 / math.tanh(x / 2))))
        assert numbers(fast, "eqs-38-39-fixed-point")["first"] == pytest.approx(worst, rel=1e-6)

    def test_an_unscaled_engine_with_gain_and_excess(self, fast):
        """The method qutip gives a gain of 26.3325 and C − 1 = 5.6291e-4 at N = 6."""
        found = numbers(fast, "bare-gain-and-constancy")
        assert found["gain_6"] == pytest.approx(26.3, abs=0.05)
        assert found["excess_6"] == pytest.approx(5.6e-4, abs=0.05e-4)
        assert found["excess_1"] == pytest.approx(-1.4e-3, abs=0.05e-3)

    def test_gaps_of_the_documented_points(self, fast):
        found = numbers(fast, "gaps-proportional")
        assert found["at_2.2"] == pytest.approx(0.5312, abs=5e-5)
        assert found["at_7.0"] == pytest.approx(0.4675, abs=6e-5)

    def test_example_beyond_the_bound(self, fast):
        """C = 1.000015874 in the limit."""
        excess = numbers(fast, "eq-19-classical-bound")["excess"]
        assert excess == pytest.approx(1.5874e-5, abs=1e-9)

    def test_larger_sizes_are_steadier_at_half_the_drive(self, fast):
        found = numbers(fast, "fig-7-enhanced")
        assert found["N_1"] < 0 < found["N_4"] < found["N_8"] < found["N_16"]


FALSE_NUMBERS = [
    ("eq-7-detailed-balance", {"fermionic_at_mu_half": 0.0}, "confirmed"),
    ("eq-7-detailed-balance", {"bosonic": 0.1}, "contradicted"),
    ("eq-12-sign", {"as_printed": 0.0}, "confirmed"),
    ("eq-23-temperature", {"with_plus": 0.1}, "contradicted"),
    ("fig-3-single-pair", {"largest_C_1_at_10": 1.00012}, "confirmed"),
    ("fig-3-single-pair", {"largest_C_1_at_20": 1.001}, "contradicted"),
    ("weak-drive-condition", {"fig_2_in_E_1": 1.0}, "confirmed"),
    ("eqs-38-39-fixed-point", {"first": 0.001, "second": 0.001}, "confirmed"),
    ("eqs-38-39-fixed-point", {"at_the_ends": 0.02}, "contradicted"),
    ("gaps-proportional", {"least_ratio": 0.5, "largest_ratio": 0.5}, "confirmed"),
    ("gaps-proportional", {"hot_end": 0.4}, "contradicted"),
    ("transient-size", {"at_beta_E_1": 3.0}, "contradicted"),
    ("cold-occupation", {"printed_over_exact": 1.0}, "confirmed"),
    ("eq-19-classical-bound", {"excess": -1e-5}, "confirmed"),
    ("fig-7-enhanced", {"N_16": -2e-4}, "contradicted"),
    ("app-d-fluctuations", {"closure": 1.0}, "confirmed"),
    ("heat-of-the-drive", {"real_coherence": 0.1}, "contradicted"),
    ("analytic-gap", {"least_over": 0.0, "largest_over": 0.0}, "confirmed"),
    ("analytic-gap", {"half_largest_over": 0.3}, "contradicted"),
    ("bare-gain-and-constancy", {"excess_6": -2e-3}, "confirmed"),
    ("bare-gain-and-constancy", {"excess_12": 1e-3}, "contradicted"),
    ("local-noise-gain", {"gain_vanishing": 0.9}, "confirmed within a stated range"),
    ("local-noise-gain", {"exponent_without_noise": 0.9}, "contradicted"),
    (
        "local-noise-macroscopic-gain",
        {"slope_vanishing": 0.1, "slope_local_1": 0.0},
        "confirmed",
    ),
    ("local-noise-macroscopic-gain", {"limit_without_noise": 0.5}, "contradicted"),
    ("local-noise-constancy", {"largest_with_noise_bare": 1e-5}, "confirmed"),
    ("local-noise-constancy", {"excess_fig_7": -1e-5}, "contradicted"),
]


class TestVerdicts:
    @pytest.mark.parametrize("name", FAST)
    def test_no_verdict_is_typed_in(self, fast, name):
        assert other_verdicts(fast[name])

    @pytest.mark.parametrize(("name", "false", "expected"), FALSE_NUMBERS)
    def test_false_numbers_change_the_verdict(self, fast, name, false, expected):
        true = numbers(fast, name)
        assert set(false) <= set(true)
        assert fast[name].verdict != expected
        assert str(BY_ID[name].judge({**true, **false}).verdict) == expected

    def test_what_only_the_closure_has(self):
        judge = BY_ID["fig-6c-value"].judge
        closure = {"closure_least": 0.68, "closure_largest": 0.83}
        exact = {"limit_least": 0.85, "limit_largest": 0.99}
        assert judge({**closure, **exact}).verdict is Verdict.CLOSURE_ONLY
        assert judge({**closure, **exact, "limit_least": 0.7}).verdict is Verdict.CONFIRMED
        assert judge({**exact, "closure_least": 0.9, "closure_largest": 1.0}).verdict is (
            Verdict.CONTRADICTED
        )

    def test_exponents_of_fig_2c(self):
        judge = BY_ID["fig-2c-exponent"].judge
        found = {
            "least_above_N_sat": 1.01,
            "largest_above_N_sat": 1.35,
            "least_of_the_others": 1.2,
            "largest_of_the_others": 1.34,
            "largest_N_12_to_24": 1.36,
            "largest_N_2_to_6": 1.4,
            "fitted_points": 25,
            "points": 25,
        }
        assert judge(found).verdict is Verdict.CONFIRMED
        assert judge({**found, "largest_N_2_to_6": 2.6}).verdict is Verdict.WITHIN_RANGE
        assert judge({**found, "largest_above_N_sat": 1.6}).verdict is Verdict.CONTRADICTED
        assert judge({**found, "largest_of_the_others": 1.6}).verdict is Verdict.CONTRADICTED

    def test_readings_of_simultaneous(self):
        judge = BY_ID["simultaneous-enhancement"].judge
        found = {
            "C_1": 0.7,
            "C_16": 0.9,
            "gain_16": 50.0,
            "excess_8": 1e-5,
            "same_baths_gain_8": 50.0,
            "points": 9,
            "points_with_gain": 4,
            "points_with_excess": 2,
            "points_with_both": 0,
        }
        assert judge(found).verdict is Verdict.WITHIN_RANGE
        assert judge({**found, "points_with_both": 1}).verdict is Verdict.CONFIRMED
        neither = {**found, "C_16": 0.6, "same_baths_gain_8": 0.9}
        assert judge(neither).verdict is Verdict.UNDECIDABLE


ERRATA = {
    "eq-12-sign": "Eq. 12, second line",
    "eq-18-efficiency": "Eq. 18",
    "eq-23-temperature": "Eq. 23",
    "cooling-power-relation": "after Eq. 24",
    "fig-3-single-pair": "Fig. 3, caption",
    "eq-30-sign": "Eq. 30",
    "eq-36-power": "Eq. 36, last term",
    "cold-occupation": "after Eq. 46",
}
"""The errata page's line on each misprint of the ledger."""


class TestErrata:
    def test_every_misprint_is_on_the_errata_page(self):
        assert {name for name, verdict in on_page().items() if verdict == "misprint"} == set(ERRATA)

    @pytest.mark.parametrize("name", ERRATA)
    def test_both_pages_agree_whether_it_may_be_the_ocr(self, name):
        [finding] = run([name])
        errata = PAGE.with_name("errata.md").read_text("utf-8")
        (line,) = [row for row in errata.splitlines() if row.startswith(f"| {ERRATA[name]} |")]
        column = line.split(" | ")[3].strip()
        assert OCR[column] in finding.judgement.note


class TestFacts:
    def test_entries_that_rest_on_one_fact_say_so_once(self):
        together = [claim.id for claim in CLAIMS if claim.fact]
        assert together == [
            "fig-6c-bound",
            "fig-7-lost",
            "eq-19-classical-bound",
            "excess-is-quantum",
            "de-finetti-bound",
        ]
        (fact,) = {claim.fact for claim in CLAIMS if claim.fact}
        text = PAGE.read_text("utf-8")
        assert text.count(fact) == 1
        assert "128, 130606" in fact

    def test_an_entry_alone_has_no_such_sentence(self, fast):
        assert "One fact" not in markdown([fast["eq-19-classical-bound"]])


class TestCommand:
    def invoke(self, *arguments):
        return CliRunner().invoke(command, arguments)

    def test_json_is_a_list_of_objects_with_the_contract_s_keys(self):
        result = self.invoke("--json", "--only", "eq-12-sign,eq-18-cop")
        assert result.exit_code == 0
        first, second = json.loads(result.stdout)
        keys = {"id", "where", "statement", "check", "numbers", "verdict", "note"}
        assert set(first) == keys | {"correction"}
        assert set(second) == keys
        assert (first["verdict"], second["verdict"]) == ("misprint", "confirmed")
        assert all(isinstance(value, float) for value in first["numbers"].values())

    def test_table_names_the_claim_and_its_verdict(self):
        result = self.invoke("--only", "eq-18-cop")
        assert result.exit_code == 0
        assert "confirmed" in result.stdout
        assert result.stdout.rstrip().endswith("1 confirmed")

    def test_an_unknown_id_suggests_the_nearest(self):
        result = self.invoke("--only", "eq-12-sing")
        assert isinstance(result.exception, InvalidInput)
        assert "eq-12-sign" in str(result.exception)

    def test_an_empty_choice_is_refused(self):
        result = self.invoke("--only", " ,")
        assert result.exit_code == 2
        assert "names no claim" in result.stderr

    def test_two_formats_at_once_are_refused(self):
        result = self.invoke("--json", "--markdown")
        assert result.exit_code == 2
        assert "leave one out" in result.stderr

    def test_a_failed_check_is_reported_and_exits_with_1(self, monkeypatch):
        def measure() -> Numbers:
            raise ArithmeticError("no convergence")

        broken = Claim("broken", "nowhere", "a", "b", measure, lambda n: confirmed())
        monkeypatch.setattr(heatcat.claims, "CLAIMS", (broken,))
        result = self.invoke("--json")
        assert result.exit_code == 1
        assert json.loads(result.stdout)[0]["error"] == "ArithmeticError: no convergence"
        assert "broken" in result.stderr


def on_page() -> dict[str, str]:
    """Verdict of each entry, in their order."""
    text = PAGE.read_text("utf-8")
    return dict(re.findall(r"^## (\S+)$.*?^\*\*([^*]+)\*\*[.:]", text, re.M | re.DOTALL))


class TestPage:
    def test_it_lists_every_claim_in_order(self):
        assert list(on_page()) == list(BY_ID)

    def test_its_table_has_each_under_its_verdict(self):
        rows = re.findall(r"^\| ([a-z ]+) \| (\d+) \| (\[.*) \|$", PAGE.read_text("utf-8"), re.M)
        listed = {
            name: verdict for verdict, _, ids in rows for name in re.findall(r"\[(\S+)\]", ids)
        }
        assert listed == on_page()
        assert sum(int(count) for _, count, _ in rows) == len(listed)

    def test_its_statements_are_the_ledger_s(self):
        text = PAGE.read_text("utf-8")
        missing = [
            claim.id
            for claim in CLAIMS
            if f"{claim.where}: {claim.statement}" not in text or claim.check not in text
        ]
        assert not missing, "write it again: heatcat claims --markdown > docs/claims.md"

    def test_its_verdicts_are_those_that_are_computed(self, fast):
        verdicts = on_page()
        assert {name: finding.verdict for name, finding in fast.items()} == {
            name: verdicts[name] for name in FAST
        }

    def test_numbers_of_rounding_are_not_printed(self):
        assert [number(x) for x in (0.0, -3e-14, 0.5)] == ["0", "0 to rounding", "0.5"]

    @pytest.mark.slow
    def test_the_whole_page_is_reproduced(self):
        findings = run()
        assert [f.claim.id for f in findings if f.error] == []
        assert {f.claim.id: f.verdict for f in findings} == on_page()
        assert [f.claim.id for f in findings if not other_verdicts(f)] == []
        assert sum(f.seconds for f in findings) < 60
