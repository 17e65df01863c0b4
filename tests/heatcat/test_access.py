"""Who is let in to the page of ``heatcat browse``: real requests to a real server."""

from __future__ import annotations

import asyncio
import http.client
import re
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.websocket import websocket_connect

from ensemble import InvalidInput
from heatcat.browser.access import Access, own_host, own_prefix, read_origin
from heatcat.browser.server import _redirecting
from tests.chromium import started
from tests.heatcat.serving import serving
from tests.heatcat.stores import TINY, synthetic

pytestmark = pytest.mark.kills

SENTENCE = re.compile(r"[A-Za-z][^.\n]*(\.org[^.\n]*)?\.\n")
PROXY = "engines.example.org"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    location = tmp_path_factory.mktemp("access") / "store.zarr"
    synthetic(location, TINY)
    return location


@pytest.fixture(scope="module")
def address(store: Path) -> Iterator[str]:
    with serving(store) as found:
        yield found


@pytest.fixture(scope="module")
def proxied(store: Path) -> Iterator[str]:
    """The address of a server that a proxy shows as https://engines.example.org/engines/."""
    with serving(store, "--prefix", "/engines/", "--allow-origin", f"https://{PROXY}") as found:
        yield found


def get(url: str, headers: Mapping[str, str] | None = None, *, method: str = "GET") -> tuple:
    """Status and text of an answer; ``headers`` may name another Host."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, headers=dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def without_token(url: str, path: str = "/") -> str:
    parts = urlsplit(url)
    return f"http://{parts.netloc}{path}"


def opened_websocket(url: str, headers: Mapping[str, str]) -> str:
    """The first message of a websocket with a session of the page; raises if it is refused."""
    status, page = get(url)
    assert status == 200
    session = re.search(r'"token":"([^"]+)"', page)
    assert session, page
    parts = urlsplit(url)
    place = f"ws://{parts.netloc}{parts.path}ws?{parts.query}"

    async def talk() -> str:
        request = HTTPRequest(place, headers=HTTPHeaders(headers), request_timeout=30)
        connection = await websocket_connect(request, subprotocols=["bokeh", session[1]])
        try:
            message = await connection.read_message()
            return str(message)
        finally:
            connection.close()
            while await connection.read_message() is not None:
                pass

    return asyncio.run(talk())


def refused_websocket(url: str, headers: Mapping[str, str] | None = None) -> str:
    """What a websocket is told that must be refused."""
    parts = urlsplit(url)

    async def talk() -> str:
        place = f"ws://{parts.netloc}{parts.path}ws?{parts.query}"
        request = HTTPRequest(place, headers=HTTPHeaders(headers or {}), request_timeout=30)
        with pytest.raises(HTTPClientError, match="403") as refused:
            await websocket_connect(request, subprotocols=["bokeh", "x"])
        assert refused.value.response is not None
        return refused.value.response.body.decode()

    return asyncio.run(talk())


def test_the_page_is_there_for_who_has_the_token(address):
    status, page = get(address)
    assert status == 200
    assert "bk-root" in page or "Bokeh" in page
    assert str(TINY.name) not in page  # what the store holds comes through the websocket alone


@pytest.mark.parametrize("path", ["/", "/ws", "/metadata", "/autoload.js", "/nothing", "/static"])
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS"])
def test_nothing_of_the_store_is_told_without_the_token(path, method, address):
    status, text = get(without_token(address, path), method=method)
    assert status == 403
    if method != "HEAD":
        assert SENTENCE.fullmatch(text)
        assert "token" in text


def test_modules_are_not_imported_for_strangers(address):
    """Panel's server imports the module that a path below /components names."""
    assert get(without_token(address, "/components/antigravity/x/_css/y"))[0] == 403


@pytest.mark.parametrize(
    "query",
    ["token=", "token=x", "token={0}x", "token={1}", "token={0}&token=x", "Token={0}", "token=ÿ"],
)
def test_a_wrong_token_is_none(query, address):
    token = urlsplit(address).query.removeprefix("token=")
    wrong = f"{without_token(address)}?{query.format(token, token[:-1])}"
    assert get(wrong.replace("ÿ", "%FF"))[0] == 403


def test_a_token_is_of_no_use_twice(store, address):
    with serving(store) as other:
        token = urlsplit(other).query
        assert token != urlsplit(address).query
        assert get(f"{without_token(address)}?{token}")[0] == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "", "a b"]
)
def test_a_foreign_host_name_is_refused_with_the_token_too(host, address):
    """DNS rebinding: the browser believes that this server is the foreign site."""
    port = urlsplit(address).port
    for url in (address, without_token(address, "/static/js/bokeh.min.js")):
        status, text = get(url, {"Host": f"{host}:{port}" if host else ""})
        assert status in (400, 403)
        assert "--allow-origin" in text or status == 400
    if host.endswith("example"):
        assert "host name" in refused_websocket(address, {"Host": f"{host}:{port}"})


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"])
def test_every_name_of_this_machine_alone_will_do(host, address):
    """Also with the other port of a tunnel."""
    for place in (f"{host}:{urlsplit(address).port}", f"{host}:9999", host):
        assert get(address, {"Host": place})[0] == 200
        message = opened_websocket(address, {"Host": place, "Origin": f"http://{place.lower()}"})
        assert "ACK" in message


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:1", "http://localhost", "file://"]
)
def test_a_page_of_another_origin_opens_no_websocket(origin, address):
    assert "origin" in refused_websocket(address, {"Origin": origin})


def test_a_websocket_needs_the_token(address):
    origin = {"Origin": without_token(address).rstrip("/")}
    assert "token" in refused_websocket(without_token(address), origin)
    assert "token" in refused_websocket(without_token(address) + "?token=x", origin)
    assert "ACK" in opened_websocket(address, origin)


def test_only_the_files_of_the_libraries_need_no_token(address):
    assert get(without_token(address, "/static/js/bokeh.min.js"))[0] == 200
    for path in ("/static/../metadata", "/static/..%2f..%2fpage.py", "/static/js/%2e%2e/x"):
        assert get(without_token(address, path))[0] in (403, 404)


def test_a_proxy_shows_the_page_below_its_prefix(proxied):
    assert urlsplit(proxied).path == "/engines/"
    through = {"Host": PROXY, "Origin": f"https://{PROXY}"}
    assert get(proxied, through)[0] == 200
    assert "ACK" in opened_websocket(proxied, through)
    # A proxy may also keep the name under which it reaches the server.
    assert "ACK" in opened_websocket(proxied, {"Origin": f"https://{PROXY}"})
    assert get(without_token(proxied, "/engines/static/js/bokeh.min.js"), through)[0] == 200
    for path in ("/engines", "/engines/", "/engines/metadata", "/"):
        assert get(without_token(proxied, path), through)[0] == 403
    for origin in (f"http://{PROXY}", f"https://{PROXY}:8443", f"https://a.{PROXY}"):
        assert "origin" in refused_websocket(proxied, {"Host": PROXY, "Origin": origin})
    assert "token" in refused_websocket(without_token(proxied, "/engines/"), through)


def test_the_address_behind_the_proxy_is_known():
    access = Access("127.0.0.1", 5006, "secret", "/engines", (read_origin(f"https://{PROXY}"),))
    assert access.addresses == [
        "http://127.0.0.1:5006/engines/?token=secret",
        f"https://{PROXY}/engines/?token=secret",
    ]
    assert "secret" not in repr(access)
    assert Access("::1", 1, "s").addresses == ["http://[::1]:1/?token=s"]


def asked(host: str, target: str = "/?token=s") -> HTTPServerRequest:
    line = RequestStartLine("GET", target, "HTTP/1.1")
    return HTTPServerRequest(start_line=line, headers=HTTPHeaders({"Host": host}))


@pytest.mark.parametrize("listening", ["0.0.0.0", "::"])
def test_other_machines_need_the_token_and_a_name_of_this_one(listening):
    access = Access(listening, 5006, "s")
    assert access.addresses == [f"http://{socket.gethostname()}:5006/?token=s"]
    for host in (f"{socket.gethostname()}:5006", "127.0.0.1", "localhost:5006"):
        assert access.refusal(asked(host)) == ""
    assert access.refusal(asked("evil.example:5006"))
    assert access.refusal(asked("0.0.0.0.evil.example"))
    assert "token" in access.refusal(asked("127.0.0.1", "/"))


def test_the_given_host_is_a_name_of_the_page():
    assert Access("node7", 1, "s").refusal(asked("node7:1")) == ""
    assert Access("node7", 1, "s").refusal(asked("node8:1"))


def test_a_file_that_only_its_owner_can_read_leads_to_the_page():
    with _redirecting("http://127.0.0.1:1/?token=a&b") as file:
        text = file.read_text(encoding="utf-8")
        assert 'content="0; url=http://127.0.0.1:1/?token=a&amp;b"' in text
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert not file.parent.exists()


@pytest.mark.parametrize("host", ["", " ", "a b", "http://x", "x/y", "[::1]", "x\n", "*"])
def test_what_is_no_address_is_refused(host):
    with pytest.raises(InvalidInput, match=r"^--host .* 0\.0\.0\.0 for others too$"):
        own_host(host)


@pytest.mark.parametrize("prefix", ["a b", "../x", "/a//b", "a?b", "(.*)", "ä", "/a\n", "."])
def test_what_is_no_prefix_is_refused(prefix):
    with pytest.raises(InvalidInput, match=r"^--prefix .* e\.g\. /engines$"):
        own_prefix(prefix)


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "*",
        "https://*.org",
        "ftp://x",
        "https://x/y",
        "x:y",
        "x:99999",
        "u@x",
        "https://",
        "a b",
    ],
)
def test_what_is_no_origin_is_refused(origin):
    with pytest.raises(InvalidInput, match=r"^--allow-origin .* without a path$"):
        read_origin(origin)


@pytest.mark.parametrize(
    ("origin", "places"),
    [
        ("https://x.org:443", {"x.org:443"}),
        ("http://X.org", {"x.org:80"}),
        ("x.org", {"x.org:80", "x.org:443"}),
        ("http://[::1]:5006", {"[::1]:5006"}),
        ("https://x.org:80", {"x.org:80"}),
    ],
)
def test_origins_are_compared_with_their_ports(origin, places):
    assert read_origin(origin).places == places


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.browser
def test_a_browser_sees_the_page_through_a_proxy_and_not_without_the_token(store):
    """Chromium is told that the proxy's name is this machine, as a proxy's would be."""
    from playwright.sync_api import expect

    from tests.heatcat.test_browse_page import MAP_IS_DRAWN

    port = free_port()
    origin = f"http://{PROXY}:{port}"
    options = ("--port", str(port), "--prefix", "/engines", "--allow-origin", origin)
    rules = f"--host-resolver-rules=MAP {PROXY} 127.0.0.1, MAP evil.example 127.0.0.1"
    with serving(store, *options) as own, started(rules) as browser:
        page = browser.new_page()
        token = urlsplit(own).query
        page.goto(f"{origin}/engines/?{token}&variable=constancy")
        page.wait_for_function(MAP_IS_DRAWN)
        heading = page.locator(".heading h2").first
        expect(heading).to_contain_text("constancy, 2J/(aD)", timeout=20_000)
        page.get_by_label("variable", exact=True).select_option(label="power  P")
        expect(heading).to_contain_text("power output", timeout=20_000)
        page.wait_for_function("() => !location.search.includes('constancy')")
        assert token in page.url
        page.reload()
        page.wait_for_function(MAP_IS_DRAWN)
        assert page.evaluate("() => document.cookie") == ""
        for address, reason in (
            (f"{origin}/engines/", "token"),
            (f"http://evil.example:{port}/engines/?{token}", "host name"),
        ):
            answer = page.goto(address)
            assert answer is not None
            assert answer.status == 403
            assert SENTENCE.fullmatch(answer.text())
            expect(page.locator("body")).to_contain_text(reason)
        # A foreign page cannot open a websocket, even with the token.
        page.goto("about:blank")
        opened = page.evaluate(
            """url => new Promise(done => {
                const socket = new WebSocket(url, ["bokeh", "x"])
                socket.onopen = () => done(true)
                socket.onerror = () => done(false)
            })""",
            f"ws://127.0.0.1:{port}/engines/ws?{token}",
        )
        assert opened is False


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--host", ""), "--host '' is not an address to listen on: write 127.0.0.1 "),
        (("--host", "192.0.2.1"), "--host 192.0.2.1 is not an address of this machine: give one"),
        (("--prefix", "a b"), "--prefix 'a b' is not a path: write letters"),
        (("--allow-origin", "*"), "--allow-origin '*' is not the origin of a page: write e.g."),
    ],
)
def test_what_cannot_be_served_is_one_line(options, told, store):
    assert refusal(store, *options).startswith(f"heatcat: {told}")


def test_a_port_that_is_taken_is_one_line(store):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = refusal(store, "--port", port)
    assert said == f"heatcat: port {port} is taken: choose another --port, or 0 for any\n"


def refusal(store: Path, *options: str) -> str:
    """The one line of a command that is refused."""
    command = [sys.executable, "-m", "heatcat", "browse", str(store), "--no-open", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    return done.stderr
