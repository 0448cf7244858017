"""The sound of a review: each format plays, one sound at a time, straight from the bucket."""

import urllib.parse
import urllib.request

import pytest
from playwright.sync_api import expect
from test_checks import sounds
from test_datasets import wav
from test_review import dataset, make, ready, run, until, without_guard  # noqa: F401

API = "/api/v1/evaluations/stt"
AUDIO = "document.querySelector('#review audio')"
FORMATS = ["wav", "mp3", "flac", "m4a", "ogg", "webm"]
# Every player that a page has, in the page or out of it, and how many ran at once. One that has
# left the page is heard until it is stopped.
PLAYERS = """
window.players = new Set();
window.most = 0;
const began = (player) => {
  window.players.add(player);
  const run = [...window.players].filter((one) => !one.paused && !one.ended);
  window.most = Math.max(window.most, run.length);
};
const play = HTMLMediaElement.prototype.play;
HTMLMediaElement.prototype.play = function begin() {
  this.addEventListener('playing', () => began(this));
  const playing = play.call(this);
  began(this);
  return playing;
};
// Its own controls ask for no leave.
document.addEventListener('playing', (event) => began(event.target), true);
"""


@pytest.fixture(scope="module")
def recordings(site):
    """A dataset with a recording of each format, as `make` takes it, and the formats by the
    addresses of their sound."""
    files = {sample["filename"].rsplit(".", 1)[1]: sample["file_id"] for sample in site.demo}
    assert set(FORMATS) <= set(files), files
    samples = [{"file_id": files[one], "ground_truth": one} for one in FORMATS]
    body = {"name": "a recording of each format", "language": "en", "samples": samples}
    made = site.api("POST", f"{API}/datasets", body)["id"]
    ids = [one["id"] for one in site.api("GET", f"{API}/datasets/{made}?include_samples=true")["samples"]]
    return (made, ids), {f"/audio/{files[one]}": one for one in FORMATS}


@pytest.fixture
def of_each_format(site, recordings):
    return make(site, recordings[0], [FORMATS])


def on_clip(page, number):
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Clip {number} of {len(FORMATS)}")
    ready(page)


def listen(page):
    """By the key, where the browser has not begun by itself."""
    if page.evaluate(f"{AUDIO}.paused"):
        page.keyboard.press("Space")
    sounds(page)


def test_every_format_is_heard_in_the_player(visit, recordings, of_each_format):
    page = visit()
    without_guard(page)
    page.goto(f"/runs/{of_each_format}/review")
    heard = []
    for number in range(1, len(FORMATS) + 1):
        on_clip(page, number)
        until(lambda: page.evaluate(f"{AUDIO}.readyState"), 4)
        # It may have begun by itself: what the key does is looked at.
        page.evaluate(f"{AUDIO}.pause()")
        page.evaluate(f"{AUDIO}.currentTime = 0")
        until(lambda: page.evaluate(f"{AUDIO}.seeking || {AUDIO}.currentTime > 0"), False)
        page.keyboard.press("Space")
        until(lambda: page.evaluate(f"{AUDIO}.currentTime > 0.2"), True)
        assert page.evaluate(f"{AUDIO}.error") is None
        expect(page.get_by_text("can’t be played here")).to_be_hidden()
        heard.append(recordings[1][page.locator("#review audio").get_attribute("src")])
        page.keyboard.press("s")
    assert sorted(heard) == sorted(FORMATS)


def test_one_sound_at_a_time_whichever_way_one_goes(visit, of_each_format):
    page = visit()
    page.add_init_script(PLAYERS)
    without_guard(page)
    page.goto(f"/runs/{of_each_format}/review")
    on_clip(page, 1)
    listen(page)
    # On, back, on with a verdict, and to the clip before by taking that back: in the middle of
    # a sound each time, and each clip begins by itself.
    ways = [("s", 2), ("s", 3), ("p", 2), ("y Enter", 3), ("z", 2), ("s", 3)]
    for keys, number in ways:
        assert page.evaluate(f"{AUDIO}.paused") is False
        for key in keys.split():
            page.keyboard.press(key)
        on_clip(page, number)
        sounds(page)
    assert page.evaluate("window.players.size") == 1 + len(ways)
    assert page.evaluate("window.most") == 1


def test_bytes_of_sound_come_from_the_bucket_alone(visit, site, recordings, of_each_format):
    page = visit()
    without_guard(page)
    page.wait_for_load_state("networkidle")
    answers = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto(f"/runs/{of_each_format}/review")
    for number in range(1, len(FORMATS) + 1):
        on_clip(page, number)
        listen(page)
        if number < len(FORMATS):
            page.keyboard.press("s")
    page.wait_for_load_state("networkidle")
    led = [one for one in answers if one.request.resource_type == "media" and one.status == 302]
    assert {urllib.parse.urlsplit(one.url).path for one in led} == set(recordings[1])
    # Who answered, whatever the address is that a browser calls it by.
    sound = [one for one in answers if one not in led and is_sound(one)]
    assert len(sound) >= len(FORMATS)
    (bucket,) = {port(one) for one in sound}
    assert bucket != urllib.parse.urlsplit(site.url).port
    assert bucket not in {port(one) for one in answers if one not in sound}


def port(answer):
    address = answer.server_addr()
    return address and address["port"]


def is_sound(answer):
    return answer.request.resource_type == "media" or answer.headers.get("content-type", "").startswith(("audio/", "video/"))


def test_sound_is_asked_for_in_parts_and_an_address_that_ended_is_asked_for_again(visit, site, run):  # noqa: F811
    page = visit()
    without_guard(page)
    asked, led = [], []

    def lead(route):
        # What a kept address that has ended leads to: the bucket refuses it. The clips that
        # follow are loaded meanwhile.
        led.append(route.request.url)
        later = [url for url in led if url.endswith("?later")]
        if len(led) == 1 or later == [route.request.url]:
            answer = route.fetch(max_redirects=0)
            route.fulfill(status=302, headers={"location": answer.headers["location"] + "0"})
        else:
            route.continue_()

    page.on("response", lambda answer: asked.append(answer))
    page.route("**/audio/file_*", lead)
    page.goto(f"/runs/{run}/review")
    ready(page)
    page.keyboard.press("Space")
    sounds(page)
    expect(page.get_by_text("can’t be played here")).to_be_hidden()
    heard = [answer for answer in asked if answer.request.resource_type == "media"]
    ways = [answer for answer in heard if answer.status == 302]
    assert ways and all(answer.url.startswith(f"{site.url}/audio/") for answer in ways)
    # A browser that kept the way may name the sound by it: whose answer it is, its head says.
    parts = [answer for answer in heard if answer not in ways]
    assert parts and all(answer.request.headers.get("range") for answer in parts)
    assert any(answer.status == 206 for answer in parts)
    assert all("etag" in answer.headers for answer in parts if answer.ok)
    # Another ends on the same clip; a browser does not ask again for what it has heard whole.
    page.evaluate("document.querySelector('audio').src += '?later'")
    until(lambda: page.evaluate("true") and sum(url.endswith("?later") for url in led) > 1, True)
    # It was playing, and goes on.
    sounds(page)
    expect(page.get_by_text("can’t be played here")).to_be_hidden()


@pytest.mark.parametrize("playing", [True, False])
def test_an_address_that_ends_while_one_seeks_is_asked_for_again_and_goes_on(visit, site, playing):
    page = visit()
    without_guard(page)
    recording, bucket = long_run(site)
    page.goto(f"/runs/{recording}/review")
    ready(page)
    audio = "document.querySelector('#review audio')"
    page.keyboard.press("Space")
    sounds(page)
    refused = []
    # Steps of a redirect are told by the browser's own door alone.
    door = page.context.new_cdp_session(page)

    def asked(event):
        request = {"requestId": event["requestId"]}
        if refused:
            return door.send("Fetch.continueRequest", request)
        refused.append(event["request"]["headers"].get("Range", ""))
        # What the bucket says of an address that has ended.
        headers = [{"name": "access-control-allow-origin", "value": site.url}]
        return door.send("Fetch.fulfillRequest", request | {"responseCode": 403, "responseHeaders": headers})

    if not playing:
        page.keyboard.press("Space")
        until(lambda: page.evaluate(f"{audio}.paused"), True)
    door.on("Fetch.requestPaused", asked)
    door.send("Fetch.enable", {"patterns": [{"urlPattern": f"*:{bucket}/*"}]})
    page.evaluate(f"{audio}.currentTime = 400")
    until(lambda: bool(page.evaluate("true") and refused), True)
    assert not refused[0].startswith("bytes=0-")
    if playing:
        until(lambda: page.evaluate(f"!{audio}.paused && {audio}.currentTime > 400.5"), True)
    else:
        until(lambda: page.evaluate(f"{audio}.readyState > 1 && {audio}.currentTime"), 400)
        assert page.evaluate(f"{audio}.paused")
    assert page.evaluate(f"{audio}.currentTime") < 430
    expect(page.locator("[data-told]")).to_have_text("")


def upload(site, name, content):
    """A new recording, and where it was sent."""
    sound = {"filename": name, "content_type": "audio/wav", "size_bytes": len(content)}
    made = site.api("POST", f"{API}/files", sound)
    sent = urllib.request.Request(made["upload"]["url"], content, made["upload"]["headers"], method="PUT")
    urllib.request.urlopen(sent, timeout=60).close()
    file = made["file"]["id"]
    until(lambda: site.api("GET", f"{API}/files/{file}")["status"], "ready")
    return file, sent.full_url


def long_run(site):
    """A run over one recording that no browser keeps as a whole, and the port of its bucket."""
    file, address = upload(site, "long.wav", wav(0, 540, rate=16000))
    sample = {"file_id": file, "ground_truth": "a long one"}
    dataset = site.api("POST", f"{API}/datasets", {"name": file, "language": "en", "samples": [sample]})["id"]
    found = site.api("GET", f"{API}/datasets/{dataset}?include_samples=true")["samples"]
    run = make(site, (dataset, [found[0]["id"]]), [["a long one"]])  # noqa: F811
    return run, urllib.parse.urlsplit(address).port
