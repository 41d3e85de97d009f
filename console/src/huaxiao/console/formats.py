"""How figures are written for people."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from huaxiao.shared.money import yuan
from huaxiao.shared.periods import BUSINESS_ZONE
from huaxiao.shared.wire.kpi import Comparison, Quotient, Unit

_GOALS = {
    Comparison.AT_LEAST: "≥",
    Comparison.MORE_THAN: ">",
    Comparison.AT_MOST: "≤",
    Comparison.LESS_THAN: "<",
}
NOTHING = "–"
"""Stands where there is no figure."""


def money(amount_fen: int | None) -> str:
    """Write an amount in yuan, to the fen."""
    return NOTHING if amount_fen is None else yuan(amount_fen).replace("-", "−")


def signed_money(amount_fen: int | None) -> str:
    """Write a change in yuan, with its sign."""
    return NOTHING if amount_fen is None else _signed(amount_fen, money(amount_fen))


def percent(ratio: Decimal | Quotient | None, decimals: int = 2) -> str:
    """Write a ratio in percent."""
    if ratio is None:
        return NOTHING
    return f"{as_decimal(ratio) * 100:,.{decimals}f} %".replace("-", "−")


def points(basis_points: int | None) -> str:
    """Write a change of a ratio in percentage points, with its sign."""
    if basis_points is None:
        return NOTHING
    return _signed(basis_points, f"{Decimal(basis_points) / 100:.2f}".replace("-", "−"))


def as_decimal(ratio: Decimal | Quotient) -> Decimal:
    """Return a ratio as a decimal, for showing only."""
    if isinstance(ratio, Quotient):
        return Decimal(ratio.numerator) / ratio.denominator
    return ratio


def goal(boundary: Decimal, comparison: Comparison) -> str:
    """Write what a ratio is to come to."""
    return f"{_GOALS[comparison]} {boundary * 100:.0f} %"


def period(number: int) -> str:
    """Write a month as 2017-11."""
    return f"{number // 100}-{number % 100:02d}"


def moment(at: datetime | None) -> str:
    """Write a moment by the county's clock."""
    return NOTHING if at is None else at.astimezone(BUSINESS_ZONE).strftime("%Y-%m-%d %H:%M")


def clock(at: datetime | None) -> str:
    """Write the hour and minute of a moment by the county's clock."""
    return NOTHING if at is None else at.astimezone(BUSINESS_ZONE).strftime("%H:%M")


def day(on: date | None) -> str:
    """Write a day."""
    return NOTHING if on is None else on.isoformat()


def counted(amount: int | None, unit: Unit) -> str:
    """Write a measure's amount without its unit's name."""
    if amount is None:
        return NOTHING
    match unit:
        case Unit.FEN:
            return money(amount)
        case Unit.HALF_PERSON_MONTHS:
            return f"{Decimal(amount) / 2:,.1f}"
        case Unit.HUNDREDTHS:
            return f"{Decimal(amount) / 100:,.2f}"
        case _:
            return f"{amount:,}"


def duration(seconds: int, *, chinese: bool) -> str:
    """Write a length of time in its two largest units."""
    days, rest = divmod(abs(seconds), 86_400)
    hours, minutes = rest // 3_600, rest % 3_600 // 60
    parts: Sequence[tuple[int, str, str]] = (
        (days, "天", "d"),
        (hours, "小时", "h"),
        (minutes, "分", "min"),
    )
    shown = [f"{count} {zh if chinese else en}" for count, zh, en in parts if count][:2]
    return " ".join(shown) or ("不到 1 分" if chinese else "under 1 min")


def _signed(amount: int, written: str) -> str:
    return f"+{written}" if amount > 0 else written
