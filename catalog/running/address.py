"""Client of a scheduler that runs already, at an address such as ``tls://host:8786``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ensemble import InvalidInput

if TYPE_CHECKING:
    from distributed import Client

CONNECT_TIMEOUT = "10s"
ENCRYPTED = ("tls", "wss")
SCHEMES = ("tcp", "ws", "ucx", *ENCRYPTED)


def client_at(address: str) -> Client:
    """Client of the scheduler at an address, with the TLS settings of dask's configuration."""
    import distributed

    scheme, host, port = parsed_address(address)
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host.replace(":", " ")
    if not bare or any(character.isspace() for character in bare) or not 1 <= port <= 65535:
        raise _unreachable(address, "an address is scheme://host:port")
    if scheme not in SCHEMES:
        raise _unreachable(address, f"its scheme must be one of {', '.join(SCHEMES)}")
    try:
        security = distributed.Security()
        encrypts = security.get_connection_args("client")["ssl_context"] is not None
    except (OSError, ValueError) as failure:
        raise InvalidInput(
            f"cannot use the TLS files of dask's configuration ({reason_of(failure)}): correct "
            "distributed.comm.tls.ca-file, .client.cert and .client.key"
        ) from None
    if scheme in ENCRYPTED and not encrypts:
        raise InvalidInput(
            f"{address!r} needs a certificate: set distributed.comm.tls.ca-file, .client.cert and "
            ".client.key in dask's configuration"
        )
    try:
        return distributed.Client(
            address, timeout=CONNECT_TIMEOUT, security=security, set_as_default=False
        )
    except Exception as failure:  # of many kinds, also ones that are not about the address
        reason = reason_of(failure)
        if "certificate" in reason.lower():
            raise InvalidInput(
                f"the scheduler at {address!r} and dask's configuration here do not have the same "
                f"certificate ({reason}): set distributed.comm.tls.* to the files of that scheduler"
            ) from None
        raise _unreachable(address, reason) from None


def parsed_address(address: str) -> tuple[str, str, int]:
    """Scheme (tcp if none is given), host and port; port 0 if there is none."""
    scheme, separator, rest = address.rpartition("://")
    host, _, port = rest.rpartition(":")
    digits = port if port.isascii() and port.isdigit() and len(port) <= 5 else "0"
    return (scheme.lower() if separator else "tcp"), host, int(digits)


def _unreachable(address: str, why: str) -> InvalidInput:
    return InvalidInput(
        f"cannot reach a scheduler at {address!r} ({why}): start one with dask scheduler and give "
        "its address, e.g. tcp://127.0.0.1:8786"
    )


def reason_of(failure: BaseException) -> str:
    """An error in one line, with its cause if that says more."""
    causes = (failure.__cause__, failure)
    texts = [" ".join(str(error).split()) for error in causes if error is not None]
    return (
        next((text for text in texts if "certificate" in text.lower()), texts[-1])
        or type(failure).__name__
    )
