"""Pages with many recordings."""

import pytest
from test_consensus import run as agreed  # noqa: F401
from test_review import dataset, run, until  # noqa: F401

PAUSED = "[...document.querySelectorAll('audio')].map((audio) => audio.paused)"


@pytest.mark.parametrize("where", ["results", "dataset", "consensus"])
def test_one_recording_sounds_at_a_time(visit, dataset, run, agreed, where):  # noqa: F811
    page = visit()
    page.goto({"results": f"/runs/{run}/results", "dataset": f"/datasets/{dataset[0]}", "consensus": f"{agreed}/consensus"}[where])
    players = page.locator("audio")
    count = players.count()
    assert count > 1
    for played in [0, 1, 0]:
        # As by the player's own button, and without an end.
        players.nth(played).evaluate("(audio) => { audio.muted = true; audio.loop = true; return audio.play(); }")
        until(lambda: page.evaluate(PAUSED), [at != played for at in range(count)])
