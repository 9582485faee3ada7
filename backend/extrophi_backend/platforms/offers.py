"""What can be collected from each platform, as people are told."""

from collections.abc import Sequence
from dataclasses import dataclass

from extrophi_backend.collectors.models import Platform


@dataclass(frozen=True, slots=True)
class Offer:
    """`without`: what is to be had while no credentials are set, where they are needed for the rest."""

    platform: Platform
    collects: Sequence[str]
    examples: Sequence[str]
    without: str = ""


OFFERS: Sequence[Offer] = (
    Offer(
        "web",
        ("a page", "a PDF", "a feed (RSS, Atom, JSON Feed)", "a sitemap", "a site"),
        ("https://example.org/post", "https://example.org/feed.xml", "https://example.org/sitemap.xml"),
    ),
    Offer(
        "twitter",
        ("a user's posts and threads", "a post with its thread", "a list", "a search"),
        ("https://x.com/nasa", "https://x.com/nasa/status/1578466218075312129", "https://x.com/search?q=herons"),
        "Without credentials only single public posts can be had. `extrophi accounts` says how to get them.",
    ),
    Offer(
        "youtube",
        ("a video's description, chapters and captions", "a channel", "a playlist", "a search", "comments"),
        (
            "https://www.youtube.com/watch?v=GJLlxj_dtq8",
            "https://www.youtube.com/@nasa",
            "https://youtu.be/GJLlxj_dtq8",
        ),
    ),
    Offer(
        "reddit",
        ("a post with its comment tree", "a subreddit (new, top)", "a user's posts", "a search"),
        ("r/selfhosted", "https://www.reddit.com/r/selfhosted/top/?t=week", "u/spez"),
        "Without credentials only Reddit's open feeds can be read: 25 entries, no scores, no comment trees. "
        "`extrophi accounts` says how to get them.",
    ),
)
