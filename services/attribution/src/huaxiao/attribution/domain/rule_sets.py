"""Rule sets as data: typed conditions over evidence, in a stated order (R22-R24).

A rule takes a line when all of its conditions hold and one of its owner sources yields a place; the
first rule that takes a line decides. Conditions and sources are a closed vocabulary: a county
chooses, orders and combines them, and writes no code.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache

from huaxiao.attribution.domain import words
from huaxiao.attribution.domain.evidence import Evidence
from huaxiao.shared.periods import Period
from huaxiao.shared.wire.attribution import SHADOW_MONTHS, ListedLine, OwnerSource
from huaxiao.shared.wire.contracts import ChannelKind


@dataclass(frozen=True, slots=True)
class Why:
    """A reason in two languages."""

    text: str
    text_zh: str
    close: bool = False
    """The line came close, so that people will ask; any other reason goes without saying."""


@dataclass(frozen=True, slots=True)
class When:
    """The conditions of a rule; all that are given must hold, none given always does."""

    listed: ListedLine | None = None
    products: frozenset[str] | None = None
    products_except: frozenset[str] | None = None
    customer_kinds_except: frozenset[str] | None = None
    channel_kinds: frozenset[ChannelKind] | None = None
    in_campus: bool = False
    in_bundle: bool = False
    left_bundle: bool = False
    secondary: bool = False
    ruled: bool = False
    lead: bool = False
    baseline: bool = False

    @property
    def always(self) -> bool:
        """Say whether nothing is asked."""
        return all(getattr(self, one.name) in {None, False} for one in fields(self))


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its code, its name, when it applies, and whose the line then is."""

    code: str
    title: str
    title_zh: str
    when: When
    owner: tuple[OwnerSource, ...]
    """Asked in this order; the first that yields a place is the owner."""
    flag: str | None = None
    """Set on every line that the rule takes."""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules in the order they are asked, under a name that says which version."""

    name: str
    rules: tuple[Rule, ...]
    shadow_months: int = SHADOW_MONTHS
    """How long who helped is credited, of lines opened while it decides, in accounting months: the one
    the line was opened in is the first. 0 credits nobody."""


@dataclass(frozen=True, slots=True)
class RuleBook:
    """The rule sets of a branch, each active from a period on."""

    default: RuleSet
    """What decides before any of the branch's own is active."""
    active: tuple[tuple[int, RuleSet], ...] = ()
    """From which period, oldest first; of two from the same period the later stands."""

    @property
    def turns(self) -> set[Period]:
        """The periods from which other rules decide than before."""
        return {Period(since) for since, _ in self.active}

    def at(self, period: Period) -> RuleSet:
        """Return the rule set that decides a period."""
        found = self.default
        for since, rule_set in self.active:
            if since <= period:
                found = rule_set
        return found


def unmet(when: When, evidence: Evidence) -> Why | None:
    """Return why the conditions do not hold, or None when they do."""
    return (
        _not_listed(when, evidence)
        or _other_line(when, evidence)
        or _other_channel(when, evidence)
        or _not_promised(when, evidence)
        or _not_grouped(when, evidence)
    )


def _not_listed(when: When, evidence: Evidence) -> Why | None:
    listed = evidence.subject.listed
    if when.listed is None:
        return None
    if listed is None:
        return Why("the customer is on no list", "客户不在任何清单中")
    if when.listed is ListedLine.STOCK and not listed.stock:
        return Why("the line is newer than the locked list", "该用户晚于锁定清单入网", close=True)
    return None


def _other_line(when: When, evidence: Evidence) -> Why | None:
    line = evidence.subject.line
    if when.products is not None and line.product not in when.products:
        return _is(line.product)
    if when.products_except is not None and line.product in when.products_except:
        return _is(line.product)
    if when.customer_kinds_except is not None and line.customer_kind in when.customer_kinds_except:
        kind = words.customer(line.customer_kind)
        listed = when.listed is not None
        return Why(f"the customer is {kind.text}", f"客户是{kind.text_zh}", close=listed)
    return None


@cache
def _is(product: str) -> Why:
    named = words.product(product)
    return Why(f"it is {words.a(named.text)}", f"是{named.text_zh}")


def _other_channel(when: When, evidence: Evidence) -> Why | None:
    channel = evidence.subject.channel
    if when.channel_kinds is None or (channel and channel.kind in when.channel_kinds):
        return None
    return _sold_by(channel.kind) if channel else NO_CHANNEL


@cache
def _sold_by(kind: ChannelKind) -> Why:
    named = words.CHANNELS[kind]
    return Why(f"{words.a(named.text)} sold it", f"由{named.text_zh}售出")


NO_CHANNEL = Why("it has no known channel", "没有已知渠道")
NO_LEAD = Why("it came from no lead in time", "不是有效期内商机转化")
NO_BASELINE = Why("it is in no baseline", "不在承包基线中")


def _not_promised(when: When, evidence: Evidence) -> Why | None:
    if when.ruled and evidence.ruling is None:
        return Why("nobody has ruled on it", "没有裁定")
    if when.lead and evidence.opportunity is None:
        return NO_LEAD
    if when.baseline and evidence.baseline is None:
        return NO_BASELINE
    return None


def _not_grouped(when: When, evidence: Evidence) -> Why | None:
    line = evidence.subject.line
    if when.in_campus and line.campus_id is None:
        return Why("it is in no campus group", "不在校园群组中")
    if when.in_bundle and evidence.bundle is None:
        return Why("it is in no bundle", "不在融合套餐中")
    if when.left_bundle and evidence.left_bundle is None:
        return Why("it has left no bundle", "没有离开过融合套餐")
    if when.secondary and line.main_subscription_id is None:
        return Why("it is no secondary card", "不是副卡")
    return None


@dataclass(frozen=True, slots=True)
class RuleFault:
    """What is wrong with a rule set, and where."""

    pointer: str
    code: str
    message: str
    message_zh: str


def faults(rule_set: RuleSet) -> Iterator[RuleFault]:
    """Find what keeps a rule set from being active.

    Every line must end with exactly one owner, and every rule must be able to be the one that decides.
    """
    if not rule_set.rules:
        yield RuleFault("/rules", "no-rules", "there is no rule", "没有规则")
        return
    codes = [rule.code for rule in rule_set.rules]
    for index, rule in enumerate(rule_set.rules):
        last = index == len(rule_set.rules) - 1
        if rule.code in codes[:index]:
            yield RuleFault(
                f"/rules/{index}/code", "code-twice", "two rules share a code", "规则编号重复"
            )
        catches_all = _catches_all(rule)
        if catches_all and not last:
            yield RuleFault(
                f"/rules/{index}",
                "unreachable-after",
                "it takes every line; no rule after it is ever asked",
                "该规则会接收所有用户，其后的规则永远不会被使用",
            )
        if last and not catches_all:
            yield RuleFault(
                f"/rules/{index}",
                "incomplete",
                "the last rule must take every line: no condition, owner default_centre",
                "最后一条规则必须无条件归入默认单元",
            )
        if OwnerSource.DEFAULT_CENTRE in rule.owner[:-1]:
            yield RuleFault(
                f"/rules/{index}/owner",
                "unreachable-after",
                "default_centre always yields; nothing after it is ever asked",
                "默认单元总能得到归属，其后的来源永远不会被使用",
            )
    yield from _never_taken(rule_set)
    if not any(_hears_rulings(rule) for rule in rule_set.rules):
        yield RuleFault(
            "/rules",
            "rulings-unheard",
            "no rule takes every line that is ruled on: rulings and decided disputes would have no effect",
            "没有规则接收所有已裁定的用户：裁定和争议裁决将不起作用",
        )


def _hears_rulings(rule: Rule) -> bool:
    """Say whether a rule gives every line that is ruled on to whom the ruling names."""
    return rule.owner[:1] == (OwnerSource.RULING,) and _implies(When(ruled=True), rule.when)


def _never_taken(rule_set: RuleSet) -> Iterator[RuleFault]:
    """Find rules that take no line: by what they ask, or because others ask all of it before."""
    for index, rule in enumerate(rule_set.rules):
        named = (rule.when.products or frozenset()) | (rule.when.products_except or frozenset())
        if unknown := sorted(named - words.PRODUCTS.keys()):
            yield RuleFault(
                f"/rules/{index}/when",
                "unknown-product",
                f"there is no product {', '.join(unknown)}",
                f"没有这种产品：{'、'.join(unknown)}",
            )
            continue
        if not _products(rule.when) or (rule.when.in_bundle and rule.when.left_bundle):
            yield RuleFault(
                f"/rules/{index}/when",
                "contradiction",
                "no line can meet these conditions together",
                "这些条件相互矛盾，没有用户能同时满足",
            )
            continue
        before = [one for one in rule_set.rules[:index] if _implies(rule.when, one.when)]
        asked = {source for one in before for source in one.owner}
        settled = OwnerSource.DEFAULT_CENTRE in asked or asked.issuperset(rule.owner)
        # One that takes every line has been named already.
        if settled and not any(_catches_all(one) for one in before):
            codes = ", ".join(one.code for one in before)
            yield RuleFault(
                f"/rules/{index}",
                "unreachable",
                f"whatever it would take is taken before, or yields nothing there: {codes}",
                f"它可接收的用户已由之前的规则处理，永远不会被使用：{codes}",
            )


def _catches_all(rule: Rule) -> bool:
    """Say whether a rule takes every line."""
    return rule.when.always and OwnerSource.DEFAULT_CENTRE in rule.owner


def _products(when: When) -> frozenset[str]:
    """Return the kinds of product that meet conditions."""
    given = frozenset(words.PRODUCTS) if when.products is None else when.products
    return given - (when.products_except or frozenset())


_YES_OR_NO = ("in_campus", "in_bundle", "left_bundle", "secondary", "ruled", "lead", "baseline")


def _implies(one: When, other: When) -> bool:
    """Say whether whatever meets some conditions meets others as well, by what they say."""
    listed = {None: 0, ListedLine.ANY: 1, ListedLine.STOCK: 2}
    channels = other.channel_kinds is None or (
        one.channel_kinds is not None and one.channel_kinds <= other.channel_kinds
    )
    customers = (other.customer_kinds_except or frozenset()) <= (
        one.customer_kinds_except or frozenset()
    )
    return (
        listed[one.listed] >= listed[other.listed]
        and _products(one) <= _products(other)
        and channels
        and customers
        and all(getattr(one, name) or not getattr(other, name) for name in _YES_OR_NO)
    )
