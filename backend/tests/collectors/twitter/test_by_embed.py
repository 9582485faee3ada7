"""A single public post without credentials, by what X gives to pages that embed it."""

from collections.abc import Callable
from typing import Any

import pytest

from backend.tests.collectors.twitter.samples import LONG, QUOTE, THEIRS, THREAD, at
from extrophi_backend.collectors.twitter.by_embed import ByEmbed
from extrophi_backend.collectors.twitter.collector import TwitterCollector
from extrophi_backend.errors import Refused
from extrophi_backend.fetch.client import Fetcher
from tests.collecting import Library
from tests.platforms.x import TOKEN, XServer
from tests.platforms.x_web import XWeb

Make = Callable[..., TwitterCollector]


def official(post: str, text: str) -> dict[str, Any]:
    return {
        "url": f"https://twitter.com/ben_w/status/{post}",
        "author_name": "Ben W.",
        "author_url": "https://twitter.com/ben_w",
        "html": f'<blockquote class="twitter-tweet"><p lang="en" dir="ltr">{text}</p>&mdash; Ben W.</blockquote>',
    }


async def test_a_post_is_had_with_what_it_quotes(web: XWeb, make: Make) -> None:
    web.embeds[QUOTE.id] = QUOTE.embed()
    library = Library()
    await library.collect(make(), at(QUOTE.address))
    (document,) = library.documents.values()
    assert (document.external_id, document.author, document.url) == (QUOTE.id, "@AdaLovelace", QUOTE.address)
    assert document.text == "Look at this:\n\nWhat do you think of herons & egrets?"
    assert document.published_at == QUOTE.created_at
    assert document.validators["way"] == "embed"
    assert web.requests == {"/tweet-result": 1}


async def test_a_post_of_a_thread_is_had_with_what_stands_above_it(web: XWeb, make: Make) -> None:
    web.embeds |= {one.id: one.embed() for one in THREAD}
    library = Library()
    await library.collect(make(), at(THREAD[3].address))
    (document,) = library.documents.values()
    assert (document.external_id, document.text) == (THREAD[0].id, "\n\n".join(one.text for one in THREAD))


async def test_what_came_as_an_embed_is_completed_by_the_api_and_not_doubled(
    web: XWeb, server: XServer, make: Make
) -> None:
    web.embeds[LONG.id] = LONG.embed()
    server.add([LONG])
    library = Library()
    await library.collect(make(), at(LONG.address))
    assert library.documents[LONG.id].text != LONG.text
    await library.collect(make(x_bearer_token=TOKEN), at(LONG.address))
    assert library.documents.keys() == {LONG.id}
    assert library.documents[LONG.id].text == LONG.text
    await library.collect(make(), at(LONG.address))  # and what says less takes nothing away
    assert library.documents[LONG.id].text == LONG.text
    assert library.versions == {LONG.id: 2}


async def test_the_official_endpoint_stands_in(web: XWeb, make: Make) -> None:
    web.embeds[THEIRS.id] = {"hello": "new form"}
    web.oembeds[THEIRS.id] = official(THEIRS.id, "What do you think of herons &amp; egrets?")
    library = Library()
    await library.collect(make(), at(THEIRS.address))
    (document,) = library.documents.values()
    assert (document.text, document.author, document.external_id) == (THEIRS.text, "@ben_w", THEIRS.id)
    assert document.published_at == THEIRS.created_at
    assert not library.failures


TOMBSTONE = {"__typename": "TweetTombstone", "tombstone": {"text": {"text": "Age-restricted adult content."}}}


@pytest.mark.parametrize(
    ("embed", "oembed", "code"),
    [
        (TOMBSTONE, 404, "age_restricted"),
        ({"__typename": "TweetTombstone"}, 403, "protected"),
        ({"__typename": "TweetTombstone"}, 404, "not_found"),
        (404, 404, "not_found"),
        (404, 403, "protected"),
        (500, 500, "http_500"),
        (404, {"html": ""}, "unreadable_answer"),
    ],
)
async def test_what_is_not_public_is_refused_by_name(web: XWeb, make: Make, embed: Any, oembed: Any, code: str) -> None:
    web.embeds[THEIRS.id], web.oembeds[THEIRS.id] = embed, oembed
    with pytest.raises(Refused) as raised:
        await Library().collect(make(), at(THEIRS.address))
    assert raised.value.code == code


async def test_the_real_endpoints_are_those_of_x(fetcher: Fetcher) -> None:
    real = ByEmbed(fetcher, "https://x.com")
    assert real._syndication == "https://cdn.syndication.twimg.com"
    assert real._publish == "https://publish.x.com"
