"""What a form asks for is asked once, however often its button is pressed."""

import re

import pytest
from playwright.sync_api import expect
from test_review import clips
from test_runs import fill, start


def post(page, address, answer):
    """What is sent to an address goes to `answer`; all else goes on."""
    page.route(re.compile(f"{re.escape(address)}(#.*)?$"), lambda route: answer(route) if route.request.method == "POST" else route.fallback())


def press(button):
    """Without waiting for what comes of it."""
    button.evaluate("(button) => button.click()")


def arrives(page, asked, count):
    """Requests are seen while one waits, and no more than these for a while."""
    for _ in range(100):
        if len(asked) >= count:
            break
        page.wait_for_timeout(50)
    page.wait_for_timeout(300)
    assert len(asked) == count


def make_key(page, site):
    page.goto("/keys")
    page.get_by_label("Whose key").fill("Pressed twice")
    return page.get_by_role("button", name="Make key"), "/keys"


def revoke_key(page, site):
    made = site.api("POST", "/api/v1/keys", {"name": "Revoked twice", "role": "viewer"})
    page.goto("/keys")
    row = page.get_by_role("row").filter(has_text="Revoked twice").first
    row.locator("summary").click()
    return row.get_by_role("button", name="Revoke for good"), f"/keys/{made['id']}/revoke"


def delete_dataset(page, site):
    path = f"/datasets/{clips(site)[0]}/delete"
    page.goto(path)
    return page.get_by_role("button", name="Delete for good"), path


def cancel_run(page, site):
    start(page, "cancelled once")
    return page.get_by_role("button", name="Cancel run"), f"{page.url.removeprefix(site.url)}/cancel"


def sign_out(page, site):
    page.goto("/help")
    return page.get_by_role("button", name="Sign out"), "/sign-out"


@pytest.mark.parametrize("form", [make_key, revoke_key, delete_dataset, cancel_run, sign_out], ids=lambda form: form.__name__)
def test_a_button_that_is_pressed_twice_sends_its_form_once(visit, site, form):
    page = visit()
    button, path = form(page, site)
    asked = []
    page.on("request", lambda request: request.method == "POST" and asked.append(request.url))
    with page.expect_response(lambda response: response.request.method == "POST" and path in response.url) as answer:
        # Of a run that is followed the form may be another by the second time. A browser sends
        # the last of what is pressed at once: that there is no second is told by the event.
        swallowed = button.evaluate(
            """(button) => {
                 const swallowed = [];
                 addEventListener('submit', (event) => swallowed.push(event.defaultPrevented));
                 button.click();
                 const place = document.querySelector('[data-live]');
                 place?.replaceChildren(place.firstElementChild.cloneNode(true));
                 (document.getElementById(button.id) ?? button).click();
                 return swallowed;
               }"""
        )
    assert swallowed == [False, True]
    assert answer.value.status in (200, 303)
    page.wait_for_load_state("networkidle")
    assert [url for url in asked if path in url] == asked and len(asked) == 1


def test_another_button_of_a_form_is_another_matter(visit, site):
    page = visit()
    page.goto("/runs/new")
    fill(page, "not waited for", models=("gemini-2.5-flash",))
    page.get_by_role("button", name="Estimate").evaluate(
        "(button) => { button.click(); [...button.form.elements].find((one) => one.textContent === 'Start run').click(); }"
    )
    expect(page.get_by_role("heading", level=1)).to_have_text("not waited for")


def test_a_form_that_stays_is_sent_again_later_or_when_one_comes_back(visit, site):
    page = visit()
    page.clock.install()
    page.goto("/keys")
    page.get_by_label("Whose key").fill("Never made")
    button = page.get_by_role("button", name="Make key")
    asked = []

    def stay(route):
        asked.append(route)
        route.fulfill(status=204)

    post(page, f"{site.url}/keys", stay)
    for count in [1, 1]:
        press(button)
        arrives(page, asked, count)
    page.clock.run_for(10_000)
    for count in [2, 2]:
        press(button)
        arrives(page, asked, count)
    # As for a page that a browser keeps while another is looked at.
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    press(button)
    arrives(page, asked, 3)
