"""What a request's scope says, read without making more of it than is asked (ASGI 3.0)."""

from starlette.types import Scope


def path_of(scope: Scope) -> str:
    """Return the path as the service knows it, without where it is mounted."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def header_of(scope: Scope, name: bytes) -> str:
    """Return a header by its name in lower case, "" where there is none.

    Several are as one that names several (RFC 9110, 5.3).
    """
    return b", ".join([held for given, held in scope["headers"] if given == name]).decode("latin-1")


def first_header_of(scope: Scope, name: bytes) -> str:
    """Return a header that is sent once by its name in lower case, "" where there is none.

    Of several the first counts, as for the framework.
    """
    found = (held for given, held in scope["headers"] if given == name)
    first: bytes = next(found, b"")
    return first.decode("latin-1")
