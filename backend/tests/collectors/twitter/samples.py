"""Posts of every kind, to be served by any way in."""

from datetime import UTC, datetime, timedelta

from extrophi_backend.collectors.models import Target
from extrophi_backend.collectors.twitter.target import recognise
from tests.platforms.x import Sample, User, snowflake, thread

ADA = User("2244994945", "AdaLovelace", "Ada Lovelace")
BEN = User("783214", "ben_w", "Ben W.")
FIRST = datetime(2026, 1, 1, 12, tzinfo=UTC)


SESSION = {"x_auth_token": "a1b2c3d4e5" * 4, "x_ct0": "f0e1d2c3" * 20}
"""Credentials of a session, by their settings' names."""


def at(typed: str) -> Target:
    found = recognise(typed)
    assert found is not None
    return found


def post(text: str, *, after: float = 0.0, user: User = ADA, **more: object) -> Sample:
    """One sent so many seconds after the first."""
    return Sample(snowflake(FIRST + timedelta(seconds=after)), user, text, **more)  # pyright: ignore[reportArgumentType]


THEIRS = post("What do you think of herons & egrets?", user=BEN)
THREAD = thread(
    ADA, FIRST + timedelta(hours=1), "A thread <about> herons & 🪶:", "They stand.", "They wait.", "They strike."
)
ANSWER = post("@ben_w A great deal.", after=60, answers=THEIRS, conversation=THEIRS.id)
QUOTE = post("Look at this:", after=120, quotes=THEIRS)
PICTURE = post(
    "Two of them",
    after=180,
    media=[
        ("photo", "https://pbs.twimg.com/media/one.jpg", "A heron in the reeds"),
        ("photo", "https://pbs.twimg.com/media/two.jpg", ""),
    ],
)
SILENT = post("", after=190, media=[("video", "https://pbs.twimg.com/media/film.jpg", "")])
POLL = post("Which is taller?", after=240, poll=["The heron", "The egret"])
LONG = post("It begins.\n\n" + "And it goes on & on. " * 60 + "It ends.", after=300, is_long=True)
LINK = post(
    "Read https://t.co/abcdefghij and tell",
    after=360,
    links=[("https://t.co/abcdefghij", "https://birds.example/herons?a=1&b=2")],
    card=("https://t.co/abcdefghij", "All about herons", "They stand in water."),
)
REPOST = post("", after=420, reposts=THEIRS)
EDITED = Sample(
    snowflake(FIRST + timedelta(seconds=500), 1),
    ADA,
    "Mended",
    edits=[snowflake(FIRST + timedelta(seconds=480)), snowflake(FIRST + timedelta(seconds=500), 1)],
)
ALL = [ANSWER, QUOTE, PICTURE, SILENT, POLL, LONG, LINK, REPOST, EDITED, *THREAD]
"""Oldest first."""
