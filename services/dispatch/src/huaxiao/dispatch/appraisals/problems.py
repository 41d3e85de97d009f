"""What is refused of appraisals."""

from http import HTTPStatus

from huaxiao.shared.problems import Problem


class NotRatable(Problem):
    """An enterprise centre rates a regional one; nobody rates themselves or their own (R26)."""

    code = "not-ratable"
    status = HTTPStatus.CONFLICT
    title = "This centre may not rate that one"
    title_zh = "该中心不得考核此对象"


class HorizontalNotConfirmed(Problem):
    """The final appraisal rests on the confirmed horizontal one (R27)."""

    code = "horizontal-not-confirmed"
    status = HTTPStatus.CONFLICT
    title = "The centre's horizontal appraisal is not confirmed"
    title_zh = "中心横向考核尚未确认"


class PeriodNotOver(Problem):
    """A period is appraised when it is over: its evidence may still change."""

    code = "period-not-over"
    status = HTTPStatus.CONFLICT
    title = "The period is not over"
    title_zh = "账期尚未结束"


class OutsideWindow(Problem):
    """Votes, marks, answers and decisions each have their days after the month's end."""

    code = "outside-window"
    status = HTTPStatus.CONFLICT
    title = "This is not the time for it"
    title_zh = "不在规定时间内"


class AppealedAlready(Problem):
    """There is one appeal against an item, and none after the ratee has agreed."""

    code = "appealed-already"
    status = HTTPStatus.CONFLICT
    title = "The item was appealed against, or the card agreed to, already"
    title_zh = "该项已申诉，或考核结果已确认"


class NoParty(Problem):
    """An appeal is decided by somebody who is neither rater nor ratee."""

    code = "not-the-decider"
    status = HTTPStatus.FORBIDDEN
    title = "Who has a part in the card does not decide upon it"
    title_zh = "考核当事方不得裁定申诉"
