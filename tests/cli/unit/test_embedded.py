"""A server that recovers from a crash is waited for."""

import subprocess

import pytest

from huaxiao.cli import embedded


class Recovering:
    """A server as the wheel tells of it: first its patience ends, then it is there and not ready."""

    def __init__(self, *, ready_at: int) -> None:
        self.asked, self._ready_at = 0, ready_at

    def start(self) -> None:
        self.asked += 1
        if self.asked == 1:
            raise subprocess.TimeoutExpired("pg_ctl", 10)
        assert self.asked >= self._ready_at


def test_a_server_that_takes_longer_than_the_wheel_waits_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(embedded, "_BREATH_SECONDS", 0.0)
    server = Recovering(ready_at=5)

    embedded.patiently(server.start)

    assert server.asked == 5


def test_a_server_that_never_comes_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(embedded, "_RECOVERY_SECONDS", -1.0)

    with pytest.raises(subprocess.TimeoutExpired):
        embedded.patiently(Recovering(ready_at=2).start)
