"""References for clips without one, from what models agree on."""

import re
import time

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import shot
from playwright.sync_api import expect
from test_pages import TAGS

API = "/api/v1/evaluations/stt"
# What three models heard of each clip, and the language of the clip.
HEARD = [
    ("hi", ["मुझे दस हजार रुपये चाहिए", "मुझे दस हजार रुपये चाहिए।", "मुझे दस हजार रुपये चाहिए"]),
    ("hi", ["क्षमा कीजिए, स्त्री विशेषज्ञ कब आएँगी", "क्षमा करें स्त्री विशेषज्ञ कब आएंगी", "स्त्री विशेषज्ञ कब आएँगी"]),
    ("ur", ["مجھے بخار ہے اور سر میں درد ہے", "مجھے بخار ہے اور سر میں درد", "مجھے بخار تھا اور سر درد ہے"]),
]


@pytest.fixture(scope="module")
def run(site):
    """A run of transcripts made elsewhere over clips without references; its path."""
    clips = [
        {"file_id": sample["file_id"], "language": language}
        for sample, (language, _) in zip(site.demo, HEARD, strict=False)
    ]
    dataset = {"name": f"फ़ोन की रिकॉर्डिंग {time.time()}", "language": "hi", "samples": clips}
    models = [
        {
            "name": name,
            "items": [
                {"file_id": clip["file_id"], "text": heard[index]}
                for clip, (_, heard) in zip(clips, HEARD, strict=True)
            ],
        }
        for index, name in enumerate(["north", "south", "west"])
    ]
    made = site.api("POST", f"{API}/runs", {"run_name": "सहमति", "dataset": dataset, "transcripts": models})
    for _ in range(200):
        if site.api("GET", f"{API}/runs/{made['id']}")["status"] == "completed":
            return f"/runs/{made['id']}"
        time.sleep(0.1)
    raise AssertionError("the run does not end")


def test_proposals_are_accessible_and_fit(visit, run):
    width, scheme = 360, "dark"
    page = visit(viewport={"width": width, "height": 740}, color_scheme=scheme)
    page.goto(run)
    shot(page, f"consensus-offer-{width}-{scheme}")
    page.get_by_role("link", name="Start from what models agree on").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("References from what models agree on")
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(1)
    expect(page.get_by_role("checkbox", checked=False)).to_have_count(2)
    assert page.locator(".transcript:lang(ur)").first.get_attribute("dir") in ("auto", "rtl")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for box in page.locator("label.choice").all():
        assert box.bounding_box()["height"] >= 44
    found = Axe().run(page, options={"runOnly": TAGS})
    assert found.violations_count == 0, found.generate_report()
    shot(page, f"consensus-{width}-{scheme}")


def test_references_are_accepted_without_scripts(visit, site, run):
    page = visit(java_script_enabled=False)
    page.goto(run)
    page.get_by_role("link", name="Start from what models agree on").click()
    page.get_by_role("button", name="Save ticked references").click()
    expect(page.get_by_role("status")).to_have_text(re.compile("1.reference was saved."))
    expect(page.get_by_role("checkbox")).to_have_count(2)
    page.get_by_role("link", name="Write it by hand Clip 2").click()
    expect(page.get_by_role("textbox", name="Reference")).to_be_visible()
