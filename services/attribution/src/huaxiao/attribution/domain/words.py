"""What things are called in English and Chinese, where people read it."""

from datetime import date
from typing import NamedTuple

from huaxiao.shared.wire.contracts import ChannelKind


class Told(NamedTuple):
    """Words, or a sentence, in both languages."""

    text: str
    text_zh: str


PRODUCTS = {
    "broadband": Told("broadband line", "宽带"),
    "voice": Told("voice line", "固话"),
    "tv": Told("television line", "电视"),
    "mobile": Told("mobile line", "移动用户"),
    "leased_line": Told("leased line", "专线"),
    "iot": Told("IoT line", "物联网用户"),
    "other": Told("other line", "其他业务用户"),
}
"""The kinds of product."""

CUSTOMERS = {
    "person": Told("a person", "个人"),
    "enterprise": Told("an enterprise", "企业"),
}
"""The kinds of customer that are told by name; senders may use others."""

CHANNELS = {
    ChannelKind.OWN_HALL: Told("own hall", "自有厅"),
    ChannelKind.AGENT: Told("agent", "代理商"),
    ChannelKind.CHAIN_STORE: Told("chain store", "大连锁店"),
    ChannelKind.BUSINESS_DISTRICT: Told("business district channel", "核心商圈渠道"),
    ChannelKind.DIRECT: Told("direct seller", "直销渠道"),
    ChannelKind.ONLINE: Told("online channel", "线上渠道"),
}
"""The kinds of sales channel."""

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def product(name: str) -> Told:
    """Return what a product is called."""
    return PRODUCTS.get(name, Told(f"{name} line", name))


def customer(kind: str) -> Told:
    """Return what a kind of customer is called."""
    return CUSTOMERS.get(kind, Told(kind, kind))


def month(period: int) -> Told:
    """Return how a month is written."""
    year, number = divmod(period, 100)
    return Told(f"{_MONTHS[number - 1]} {year}", f"{year}年{number}月")


def day(one: date) -> Told:
    """Return how a day is written."""
    return Told(
        f"{one.day} {_MONTHS[one.month - 1]} {one.year}", f"{one.year}年{one.month}月{one.day}日"
    )


def a(thing: str) -> str:
    """Put the article before an English noun."""
    return f"{'an' if thing[0] in 'aeiouAEIOU' else 'a'} {thing}"
