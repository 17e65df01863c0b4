"""Who may see the page: a secret token in its address, and only under the page's own host names.

The token keeps out other users of the same machine.  The check of host names prevents DNS
rebinding: a foreign site makes its own name point to this machine, and a browser then takes page
and site for the same origin.  The check of origins keeps out foreign pages, because a browser lets
any page open a websocket to any server.

The token stays in the address of the page, and there is no cookie: browsers send the cookies of a
host to all its ports, and another user of this machine may run a server on one of them.
"""

from __future__ import annotations

import re
import secrets
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from urllib.parse import urlencode, urlsplit

import psutil
from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher, Rule
from tornado.web import Application, RequestHandler

from ensemble import InvalidInput

TOKEN = "token"
"""Name of the token in the query of the address."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")
EVERYWHERE = ("0.0.0.0", "::")
PUBLIC = ("/static/", "/favicon.ico")
"""Files of Bokeh and Panel: they hold no data of the user and need no token."""
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Origin:
    """Where a page comes from, as a proxy shows it: ``https://engines.example.org``.

    Attributes
    ----------
    scheme : str
        "http" or "https"; "" for both.
    host : str
    port : int or None
        None: the one of the scheme.
    """

    scheme: str
    host: str
    port: int | None

    @property
    def places(self) -> set[str]:
        """Each "host:port" that a browser may send for this origin."""
        ports = PORTS.values() if not self.scheme else (PORTS[self.scheme],)
        return {_place(self.host, port) for port in (ports if self.port is None else (self.port,))}

    @property
    def address(self) -> str:
        """Its page's address, without a path."""
        shown = _bracketed(self.host) + ("" if self.port is None else f":{self.port}")
        return f"{self.scheme or 'http'}://{shown}"


def read_origin(text: str) -> Origin:
    """The origin that a user wrote.

    >>> read_origin("https://engines.example.org").places
    {'engines.example.org:443'}
    >>> sorted(read_origin("node7:8080").places)
    ['node7:8080']

    Raises
    ------
    InvalidInput
        If it is none.
    """
    scheme, separator, rest = text.rpartition("://")
    problem = InvalidInput(
        f"--allow-origin {text!r} is not the origin of a page: write e.g. "
        "https://engines.example.org or node7:8080, without a path"
    )
    if separator and scheme not in PORTS:
        raise problem
    try:
        split = urlsplit(f"//{rest}")
        host, port = split.hostname, split.port
    except ValueError:
        raise problem from None
    if not host or split.netloc != rest or "@" in rest or not re.fullmatch(r"[\w.:-]+", host):
        raise problem
    return Origin(scheme, host, None if port == PORTS.get(scheme) else port)


@dataclass(frozen=True)
class Access:
    """What a request must bring.

    Parameters
    ----------
    host : str
        Address that the server listens on.
    port : int
    token : str
    prefix : str
        Path under which a proxy shows the page: "" or "/engines".
    allowed : tuple of Origin
        Further origins that the page is shown under.
    """

    host: str
    port: int
    token: str = field(repr=False)
    prefix: str = ""
    allowed: tuple[Origin, ...] = ()

    @property
    def addresses(self) -> list[str]:
        """Addresses to open, token included: the server's own, then those of proxies."""
        name = socket.gethostname() if self.host in EVERYWHERE else self.host
        own = Origin("http", name, self.port)
        query = urlencode({TOKEN: self.token})
        return [f"{origin.address}{self.prefix}/?{query}" for origin in (own, *self.allowed)]

    @cached_property
    def _own(self) -> frozenset[str]:
        """Host names of the server itself."""
        return frozenset((*LOOPBACK, *_names(self.host)))

    def refusal(self, request: HTTPServerRequest) -> str:
        """Why a request is refused, in one sentence; "" if it is not."""
        asked = _said(request.headers.get("Host", ""))
        known = self._own.union(origin.host for origin in self.allowed)
        if asked is None or asked.host not in known:
            return (
                "heatcat does not serve this page under this host name: start it with "
                "--allow-origin if it should."
            )
        if "Origin" in request.headers:
            page = _said(request.headers["Origin"])
            # The port is that of the Host header: a tunnel may have another one than the server.
            itself = (replace(asked, scheme="http"),) if asked.host in self._own else ()
            if page is None or not any(page.places & o.places for o in (*itself, *self.allowed)):
                return (
                    "heatcat does not answer pages of this origin: start it with --allow-origin "
                    "if it should."
                )
        if request.path.removeprefix(self.prefix).startswith(PUBLIC):
            return ""
        given = request.query_arguments.get(TOKEN, [])
        if len(given) != 1 or not secrets.compare_digest(given[0], self.token.encode()):
            return "This page needs its token: open the address that heatcat browse has printed."
        return ""

    def guard(self, application: Application) -> None:
        """Refuse requests without access before any handler of the application gets them."""
        application.default_router.rules.insert(0, Rule(_Uninvited(self), _Refusal))


class _Uninvited(Matcher):
    """Matches the requests that are refused, and gives the reason to their handler."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        reason = self._access.refusal(request)
        if request.host.startswith("["):  # Panel raises on an IPv6 address
            request.host = f"localhost:{self._access.port}"
        return {"target_kwargs": {"reason": reason}} if reason else None


class _Refusal(RequestHandler):
    """Answers every kind of request, websockets too, with 403 and the reason."""

    def initialize(self, reason: str) -> None:
        self._reason_given = reason

    def prepare(self) -> None:
        self.set_status(403)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(self._reason_given + "\n")


def own_host(text: str) -> str:
    """An address to listen on.

    Raises
    ------
    InvalidInput
        If it is none.
    """
    if not re.fullmatch(r"[\w.:-]+", text):
        raise InvalidInput(
            f"--host {text!r} is not an address to listen on: write 127.0.0.1 for this machine "
            "alone, or 0.0.0.0 for others too"
        )
    return text.lower()


def own_prefix(text: str) -> str:
    """A prefix of paths with a slash at its beginning and none at its end.

    >>> own_prefix("engines/"), own_prefix("/")
    ('/engines', '')

    Raises
    ------
    InvalidInput
        If it is none.
    """
    parts = text.strip("/")
    if parts and not re.fullmatch(r"[\w~-][\w.~-]*(/[\w~-][\w.~-]*)*", parts, re.ASCII):
        raise InvalidInput(
            f"--prefix {text!r} is not a path: write letters, digits, _, - and ., e.g. /engines"
        )
    return f"/{parts}" if parts else ""


def _names(host: str) -> Iterable[str]:
    """Names of the address that the server listens on."""
    if host not in EVERYWHERE:
        return [host]
    cards = psutil.net_if_addrs().values()
    numbers = {
        entry.address.partition("%")[0]
        for card in cards
        for entry in card
        if entry.family in (socket.AF_INET, socket.AF_INET6)
    }
    return [socket.gethostname().lower(), *numbers]


def _said(header: str) -> Origin | None:
    """The origin that a Host or Origin header names; None if it names none."""
    try:
        return read_origin(header)
    except InvalidInput:
        return None


def _place(host: str, port: int) -> str:
    return f"{_bracketed(host)}:{port}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
