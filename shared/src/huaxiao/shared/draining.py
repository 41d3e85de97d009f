"""The end of a service: it says that it is not ready, serves on for a while, and then stops."""

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from starlette.datastructures import State


@contextmanager
def draining(state: State, *, seconds: float) -> Iterator[None]:
    """Within the block let SIGTERM set ``state.stopping``, and stop the server so much later.

    Whoever sends requests here has that long to see that the service is not ready, while requests
    are still taken. A second SIGTERM stops it at once. Nothing is changed where no server has put
    itself in charge of the signal.
    """
    server = signal.getsignal(signal.SIGTERM)
    if not callable(server) or threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()

    def stop(number: int, frame: FrameType | None) -> None:
        first = not state.stopping
        state.stopping = True
        if first and seconds > 0:
            loop.call_soon_threadsafe(loop.call_later, seconds, server, number, frame)
        else:
            server(number, frame)

    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, server)
