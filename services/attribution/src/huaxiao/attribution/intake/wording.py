"""What the reader of JSON says is wrong with an event, in Chinese: msgspec says it in English alone."""

import re
from collections.abc import Callable

_KINDS = {
    "int": "整数",
    "float": "小数",
    "str": "文本",
    "bool": "布尔值",
    "null": "空值",
    "array": "数组",
    "object": "对象",
    "date": "日期",
    "datetime": "时间",
}
_PLACE = re.compile(r" - at `\$(?:\.)?(.*)`\Z")
_SAID: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = tuple(
    (re.compile(pattern, re.DOTALL), said)
    for pattern, said in (
        (
            r"Expected `([^`]+)`, got `([^`]+)`",
            lambda it: f"应为{_kind(it[1])}，实为{_kind(it[2])}",
        ),
        (r"Expected `(\w+)` ([<>]=?) (\S+)", lambda it: f"应为 {it[2]} {it[3]} 的{_kind(it[1])}"),
        (r"Expected `str` of length ([<>]=?) (\d+)", lambda it: f"文本长度应 {it[1]} {it[2]}"),
        (r"Expected `array` of length ([<>]=?) (\d+)", lambda it: f"项数应 {it[1]} {it[2]}"),
        (
            r"Expected `str` matching regex '(.*)'",
            lambda it: "文本格式应为 " + it[1].replace(r"\\", "\\"),
        ),
        (r"Expected `datetime` with a timezone component", lambda _: "时间须带时区"),
        (r"Object missing required field `(.*)`", lambda it: f"缺少必填项 {it[1]}"),
        (r"Object contains unknown field `(.*)`", lambda it: f"含有未知项 {it[1]}"),
        (r"Invalid enum value (.*)", lambda it: f"不允许的取值 {it[1]}"),
        (r"Invalid RFC3339 encoded (\w+)", lambda it: f"不是有效的{_kind(it[1])}（RFC 3339）"),
        (r"Number out of range", lambda _: "数值超出范围"),
        (r"Input data was truncated", lambda _: "内容不完整，提前结束"),
        (r"JSON is malformed: .*\((byte \d+)\)", lambda it: f"不是有效的 JSON（{it[1]}）"),
    )
)


def in_chinese(said: str) -> str:
    """Say it in Chinese, with where it is; what is not known is left as it is."""
    place = _PLACE.search(said)
    what = said if place is None else said[: place.start()]
    told = next((tell(it) for known, tell in _SAID if (it := known.fullmatch(what))), what)
    return f"{told}（{place[1]}）" if place and place[1] else told


def _kind(names: str) -> str:
    return "或".join(_KINDS.get(one, one) for one in names.split(" | "))
