"""Why YouTube does not give something, told from the answers that it gives instead.

By their status and fields where those tell. Its sentences are read where nothing else does: they are English, since it
is asked for that.
"""

import re
from datetime import datetime
from typing import Any, cast

from extrophi_backend.collectors.youtube.models import Refusal
from extrophi_backend.collectors.youtube.reading import Json, items, mapping, moment, text

VANISHED = frozenset({"removed", "not_found"})
"""Codes of what is no more."""
_AGE = frozenset({"AGE_CHECK_REQUIRED", "AGE_VERIFICATION_REQUIRED"})
_MEMBERS_OFFER = "sponsors_only_video"
_MEANINGS = {
    "bot_check": "YouTube wants to know whether a person asks.",
    "private": "It is private.",
    "age_restricted": "It is shown to people of an age alone, who are signed in.",
    "not_in_this_country": "It is not shown in the country that you ask from.",
    "payment_needed": "It is shown to people who paid for it.",
    "members_only": "It is for members of its channel.",
    "login_needed": "It is shown to people who are signed in.",
    "not_found": "There is no such thing on YouTube, or no more.",
    "unplayable": "YouTube does not play it.",
}
_WORDS: tuple[tuple[str, str, str], ...] = (
    ("not a bot|captcha|likely being blocked", "bot_check", ""),
    (r"\bprivate\b", "private", ""),
    ("confirm your age|age[- ]restricted|inappropriate for some", "age_restricted", ""),
    ("in your country|in your region|your location", "not_in_this_country", ""),
    (r"premium|requires payment|\brent\b|purchase|\bbuy\b", "payment_needed", ""),
    (r"\bmembers?\b|join this channel", "members_only", ""),
    ("removed by the (?:uploader|user)", "removed", "Its uploader deleted it."),
    ("processing this video", "not_yet", "YouTube still works on it."),
    ("terminated|closed their", "removed", "The account that it belonged to was terminated."),
    ("copyright", "removed", "It was removed for a copyright claim."),
    ("violat|removed for|has been removed", "removed", "YouTube removed it."),
    (
        "does(?: not|n.t) exist|unavailable|is(?: not|n.t) available|not found|resolve url|no longer available|anymore",
        "not_found",
        "",
    ),
)
"""What YouTube's sentences hold, what that comes to, and what is said of it. The first that fits counts."""
_LOST = re.compile(r"recording is not available", re.IGNORECASE)
"""Of what was live, and can never be seen again."""
_RATE = re.compile(r"try again later|rate.?limit", re.IGNORECASE)


def refusal_of(player: Json) -> Refusal | None:
    """Why a video is not given; None where it is, as far as the player's answer tells.

    Args:
        player: What YouTube answers to its player, or keeps for it in the page.
    """
    playability = mapping(player, "playabilityStatus")
    details = mapping(player, "videoDetails")
    status = text(playability.get("status"))
    if not status:
        return None
    if not_yet := _not_yet(player, status):
        return not_yet
    if status in {"OK", "CONTENT_CHECK_REQUIRED"}:  # the latter is opened by saying that one wants to see it
        return None
    screen, said = mapping(playability, "errorScreen"), _said(playability)
    offer = mapping(screen, "playerLegacyDesktopYpcOfferRenderer")
    told = {
        "bot_check": screen.get("playerCaptchaViewModel"),
        "private": details.get("isPrivate") is True,
        "age_restricted": status in _AGE or playability.get("desktopLegacyAgeGateReason"),
        "members_only": offer.get("offerId") == _MEMBERS_OFFER,
        "payment_needed": offer or screen.get("playerLegacyDesktopYpcTrailerRenderer"),
    }
    code = next((code for code, holds in told.items() if holds), None)
    if code is None and (found := refusal_in_words(said)):
        return found
    otherwise = {"LOGIN_REQUIRED": "login_needed", "ERROR": "not_found"}.get(status, "unplayable")
    return _refusal(code or otherwise, said)


def refusal_in_words(said: str) -> Refusal | None:
    """What a sentence of YouTube's (or one of yt-dlp's about it) comes to; None if it is none that we know."""
    for pattern, code, meaning in _WORDS:
        if re.search(pattern, said, re.IGNORECASE):
            return _refusal(code, said, meaning)
    return None


def is_rate_limit(player: Json) -> bool:
    """Whether this session is asked to leave YouTube alone for a while, in the place of any video."""
    playability = mapping(player, "playabilityStatus")
    return text(playability.get("status")) != "OK" and _RATE.search(_said(playability)) is not None


def alert_of(data: Json) -> str:
    """The error that a page of a channel or playlist shows in its place; empty if there is none."""
    alerts = (mapping(one) for alert in items(data, "alerts") for one in alert.values())
    return next((text(one.get("text")) for one in alerts if text(one.get("type")).upper() == "ERROR"), "")


def _not_yet(player: Json, status: str) -> Refusal | None:
    details = mapping(player, "videoDetails")
    broadcast = mapping(player, "microformat", "playerMicroformatRenderer", "liveBroadcastDetails")
    if status not in {"OK", "LIVE_STREAM_OFFLINE"}:
        return None
    if details.get("isPostLiveDvr") is True:
        return Refusal("not_yet", "It was live just now, and YouTube still works on the recording.")
    is_live = details.get("isLive") is True or broadcast.get("isLiveNow") is True
    if is_live and status == "OK":
        return Refusal("not_yet", "It is live now. What is said in it is there when it is over.")
    said = _said(mapping(player, "playabilityStatus"))
    begins = _begins(player)
    if details.get("isUpcoming") is True or (status != "OK" and not _LOST.search(said)):
        return _refusal("not_yet", said, f"It begins on {begins:%Y-%m-%d at %H:%M} UTC." if begins else "It is not on.")
    return None


def _begins(player: Json) -> datetime | None:
    slate = mapping(
        player,
        "playabilityStatus",
        "liveStreamability",
        "liveStreamabilityRenderer",
        "offlineSlate",
        "liveStreamOfflineSlateRenderer",
    )
    broadcast = mapping(player, "microformat", "playerMicroformatRenderer", "liveBroadcastDetails")
    return moment(slate.get("scheduledStartTime")) or moment(broadcast.get("startTimestamp"))


def _said(playability: Json) -> str:
    """All that YouTube says of it, in the place of its player."""
    screen = mapping(playability, "errorScreen")
    message = mapping(screen, "playerErrorMessageRenderer")
    shown = mapping(screen, "playerInterstitialRenderer", "content", "interstitialViewModel")
    messages: Any = playability.get("messages")
    found = [
        text(message.get("reason")) or text(playability.get("reason")) or text(mapping(shown, "title")),
        text(message.get("subreason")) or text(mapping(shown, "description")),
        *(text(one) for one in (cast("list[Any]", messages) if isinstance(messages, list) else [])),
    ]
    return " ".join(dict.fromkeys(part.strip() for part in found if part.strip()))


def _refusal(code: str, said: str, meaning: str = "") -> Refusal:
    meaning = meaning or _MEANINGS[code]
    quoted = " ".join(said.split())[:300]
    return Refusal(code, f"{meaning} YouTube says: “{quoted}”" if quoted else meaning)
