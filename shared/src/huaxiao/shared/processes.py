"""Processes that work for a service beside its event loop: they live as long as it does."""

import os
import signal
import threading
from multiprocessing import parent_process


def end_with_parent() -> None:
    """Let this process end with the service that began it, however that ends, and not before.

    To be called in the process itself, as a pool's ``initializer`` or from it.
    """
    # Ctrl-C reaches all processes of a terminal: the service alone decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
