"""A brand is set in one browser and worn in another, which loses nothing of what was typed there."""

from pathlib import Path
from typing import Any

import pytest

from domain.ids import PersonId
from domain.people.person import InvitePerson
from tests.journeys.product import Product
from tests.web.pictures.test_svg import EXPORTED
from tests.world import ACME, SHARE
from web.write.permission import OPERATOR

pytestmark = [pytest.mark.browser, pytest.mark.folder]


@pytest.mark.slow
def test_an_open_dashboard_takes_on_the_look_without_loading_anew(
    product: Product, sit_down: Any, tmp_path: Path
) -> None:
    (tmp_path / "logo.svg").write_bytes(EXPORTED)
    product.tell(InvitePerson(person=PersonId("ines"), name="Ines", email="ines@x.test", role="admin"), OPERATOR)
    viewer = sit_down(product, f"viewer-{ACME}")
    viewer.goto(f"{product.url}/s/{SHARE}?about=")
    viewer.fill("#answer textarea", "Half a sentence")
    viewer.evaluate("window.same = true")
    before = int(viewer.inner_text(".u-n"))
    admin = sit_down(product, "ines")
    admin.goto(f"{product.url}/organisation")
    admin.check("[name=own_accent]")
    admin.fill("[name=accent]", "#0a7d5a")
    admin.set_input_files("[name=logo]", str(tmp_path / "logo.svg"))
    admin.click("#brand-form button")
    frames = [admin.frame_locator(f"iframe >> nth={n}") for n in (0, 1)]
    grounds = [frame.locator("body").evaluate("e => getComputedStyle(e).backgroundColor") for frame in frames]
    assert grounds == ["rgb(251, 250, 247)", "rgb(18, 20, 23)"]  # light and dark, whatever the reader's own
    wide = [frame.locator("#brand img").evaluate("e => e.decode().then(() => e.naturalWidth)") for frame in frames]
    assert wide == [120, 120]  # a sandbox without an origin shows it
    admin.click(".brand-preview button")
    viewer.wait_for_selector("#brand img.logo", timeout=15_000)
    assert viewer.eval_on_selector("#brand img", "e => e.decode().then(() => e.naturalWidth)") == 120
    accent = "getComputedStyle(document.documentElement).getPropertyValue('--accent').trim()"
    for _ in range(150):
        if viewer.evaluate(accent) == "#0a7957" and viewer.evaluate("document.querySelectorAll('#style').length") == 1:
            break
        viewer.wait_for_timeout(100)
    assert viewer.evaluate(accent) == "#0a7957"
    assert viewer.evaluate("window.same") is True
    assert viewer.input_value("#answer textarea") == "Half a sentence"
    assert int(viewer.inner_text(".u-n")) == before + 1
    viewer.goto(f"{product.url}/s/{SHARE}/history/{before}/page")
    assert viewer.query_selector("#brand") is None
    assert viewer.evaluate(accent) == "#234e9e"  # the look of its day
    viewer.goto(f"{product.url}/s/{SHARE}/history/{before + 1}/page")
    assert viewer.eval_on_selector("#brand img", "e => e.decode().then(() => e.naturalWidth)") == 120
