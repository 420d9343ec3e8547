"""The rules of comparison: when a number of ours agrees with one of the paper.

Every rule is statistical. A number agrees if its interval contains the published one, a statement if a test that would
refute it does not; both at the 1 % level, because there are many rows. A row that does not agree is a failure, unless a
reason is given that holds whatever the numbers are: a limit of the model, say, which is shown beside it.
"""

from __future__ import annotations

import math

from tplm_daq.report.numbers import value_with_error
from tplm_daq.report.paper.view import Origin, Row, Verdict

LEVEL = 0.01
"""Probability of a false alarm in each row."""
Z_LEVEL = 2.5758
"""Half width of a 99 % interval in standard errors."""
Z_95 = 1.95996

INTERVAL_RULE = "the 99 % interval contains the published value"


def compared(
    quantity: str,
    published: float,
    value: float,
    error: float,
    unit: str,
    origin: Origin,
    *,
    paper: str | None = None,
    reason: str = "",
    note: str = "",
) -> Row:
    """Compare a number with a published one that has no error of its own.

    Parameters
    ----------
    quantity : str
        What it is.
    published, value, error : float
        The published number; ours with its standard error.
    unit : str
        Of all three; empty for a pure number.
    origin : Origin
        Where ours comes from.
    paper : str, optional
        How the published number is written, if not as it is.
    reason : str
        Why the numbers need not agree; without one a difference is a failure.
    note : str
        What to know where they agree.

    Examples
    --------
    >>> row = compared("tau", 6.0, 6.1, 0.1, "us", Origin.RECOVERED)
    >>> row.ours, row.verdict.value
    ('6.10 ± 0.10 us', 'agrees')
    >>> compared("tau", 6.0, 7.0, 0.1, "us", Origin.RECOVERED).explanation
    'Ours lies 10.0 standard errors above'
    """
    away = (value - published) / error if error > 0 else math.nan
    ours = f"{value_with_error(value, error)} {unit}".strip() if math.isfinite(value) else "not determined"
    told = "there is no number with an error to compare"
    if math.isfinite(away):
        told = f"ours lies {abs(away):.1f} standard errors {'above' if away > 0 else 'below'}"
    agrees = math.isfinite(away) and abs(away) <= Z_LEVEL
    return judged(
        quantity,
        f"{published:g} {unit}".strip() if paper is None else paper,
        ours,
        origin,
        INTERVAL_RULE,
        agrees,
        note if agrees else told,
        reason=reason,
    )


def unrefuted(
    quantity: str, paper: str, ours: str, p_value: float, origin: Origin, *, reason: str = "", note: str = ""
) -> Row:
    """Compare with a published statement that a test could refute; a p that is no number counts against it."""
    agrees = p_value >= LEVEL
    told = note if agrees else f"the test refutes it (p = {p_value:.1g})"
    return judged(quantity, paper, ours, origin, "a test of the statement has p ≥ 0.01", agrees, told, reason=reason)


def shown(quantity: str, paper: str, ours: str, p_value: float, origin: Origin, *, note: str = "") -> Row:
    """Compare with a published effect, which must be seen: what it would be without the effect must be refuted."""
    agrees = p_value < LEVEL
    told = note if agrees else f"no effect beyond the errors (p = {p_value:.2g})"
    return judged(quantity, paper, ours, origin, "a test refutes that there is no such effect, p < 0.01", agrees, told)


def judged(
    quantity: str,
    paper: str,
    ours: str,
    origin: Origin,
    rule: str,
    agrees: bool,
    told: str = "",
    *,
    reason: str = "",
) -> Row:
    """Return a row whose rule has been applied; a reason turns a difference into one that is explained."""
    verdict = Verdict.AGREES if agrees else Verdict.EXPLAINED if reason else Verdict.FAILS
    texts = [told, reason] if not agrees else [told]
    text = ". ".join(f"{each[:1].upper()}{each[1:]}" for each in texts if each)
    return Row(quantity, paper, ours, origin, rule, verdict, text)


def missing(quantity: str, paper: str, why: str, origin: Origin) -> Row:
    """Return a row for what could not be determined: it fails, with the reason."""
    return Row(quantity, paper, "not determined", origin, "there is a number", Verdict.FAILS, why)


def scaled_error(value: tuple[float, float, float]) -> float:
    """Return the standard error that belongs to a value with the ends of its 95 % interval."""
    return (value[2] - value[1]) / (2.0 * Z_95)
