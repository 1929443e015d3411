"""What is compressed, for whom, and what never is."""

import gzip
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from web.door.assets import FONT, STATIC, asset_url, content, static
from web.door.squeeze import LEAST, Squeeze, takes_gzip
from web.render.page import Renderer

pytestmark = pytest.mark.once

LONG = "<p>On the agreed plan.</p>" * 200
GZIP = {"accept-encoding": "gzip"}


@pytest.mark.parametrize("header", ["gzip", "br, GZIP;q=0.5", "*", "gzip;q=1.000", "gzip ; q=0.001", "br;q=1, *;q=0.1"])
def test_gzip_is_taken_where_it_is_named_with_a_weight(header: str) -> None:
    assert takes_gzip(header)


@pytest.mark.parametrize(
    "header", ["", "br", "identity", "gzip;q=0", "gzip;q=0.000", "*, gzip;q=0", "*;q=0", "gzip;q=x"]
)
def test_gzip_is_not_taken_otherwise(header: str) -> None:
    assert not takes_gzip(header)


def answer(request: Request) -> Response:
    kind = request.path_params["kind"]
    if kind == "pieces":
        return StreamingResponse(iter([LONG, LONG]), media_type="text/html")
    text = "x" * (LEAST - 1) if kind == "short" else LONG
    media = "application/zip" if kind == "zip" else "text/html"
    made = HTMLResponse(text, 404 if kind == "gone" else 200, media_type=media)
    if kind == "cookie":
        made.set_cookie("a", "b")
    return made


@pytest.fixture(scope="module")
def browser() -> Iterator[TestClient]:
    routes = [Route("/static/{name}", static), Route("/{kind}", answer, methods=["GET", "POST"])]
    with TestClient(Squeeze(Starlette(routes=routes))) as made:
        yield made


def test_a_page_of_which_nothing_was_chosen_is_compressed_for_whoever_takes_it(browser: TestClient) -> None:
    small = browser.get("/page", headers=GZIP)
    assert (small.headers["content-encoding"], small.headers["vary"]) == ("gzip", "Accept-Encoding")
    assert int(small.headers["content-length"]) < len(LONG) / 10
    assert small.text == LONG
    plain = browser.get("/page", headers={"accept-encoding": "br"})
    assert ("content-encoding" in plain.headers, plain.headers["vary"], plain.text) == (False, "Accept-Encoding", LONG)


@pytest.mark.parametrize("path", ["/page?a=b", "/short", "/pieces", "/zip", "/gone", "/cookie"])
def test_what_repeats_a_request_is_never_compressed(browser: TestClient, path: str) -> None:
    assert "content-encoding" not in browser.get(path, headers=GZIP).headers


def test_what_answers_a_form_is_never_compressed(browser: TestClient) -> None:
    assert "content-encoding" not in browser.post("/page", headers=GZIP).headers


@pytest.mark.parametrize("name", ["live.js", "app.css", "dashboard.css", "icon.svg"])
def test_a_static_file_has_two_forms_with_an_etag_each(browser: TestClient, name: str) -> None:
    url = asset_url(name)
    plain, small = browser.get(url, headers={"accept-encoding": "identity"}), browser.get(url, headers=GZIP)
    assert plain.content == small.content == content(name)
    assert small.headers["content-encoding"] == "gzip"
    assert plain.headers["vary"] == small.headers["vary"] == "Accept-Encoding"
    assert len({plain.headers["etag"], small.headers["etag"]}) == 2
    for headers, etag in ((GZIP, small.headers["etag"]), ({"accept-encoding": ""}, plain.headers["etag"])):
        again = browser.get(url, headers={**headers, "if-none-match": f'"other", {etag}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert browser.get(url, headers={**GZIP, "if-none-match": plain.headers["etag"]}).status_code == 200


def test_compressed_files_are_the_same_whenever_they_are_made() -> None:
    assert gzip.compress(content("live.js"), 9, mtime=0) == gzip.compress(content("live.js"), 9, mtime=0)


def test_the_stylesheet_names_the_font_that_is_served_and_kept_with_entries(browser: TestClient) -> None:
    font = (STATIC / FONT).read_bytes()
    assert f'url("{asset_url(FONT)}")' in (STATIC / "dashboard.css").read_text()
    assert Renderer().assets == {hashlib.sha256(font).hexdigest(): font}
    served = browser.get(asset_url(FONT), headers=GZIP)
    assert (served.content, served.headers["content-type"]) == (font, "font/woff2")
    assert "content-encoding" not in served.headers
    assert len(font) < 62_000
    assert "SIL OPEN FONT LICENSE" in (STATIC / "vendor" / "LICENSE.inter").read_text()


def test_no_stylesheet_names_another_font_or_image() -> None:
    named = [line for path in Path(STATIC).rglob("*.css") for line in path.read_text().splitlines() if "url(" in line]
    assert len(named) == 1
