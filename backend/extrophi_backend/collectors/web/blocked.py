"""Pages that stand in an article's place."""

from dataclasses import dataclass
from typing import Literal

Code = Literal["captcha", "login_needed", "cookie_wall", "javascript_needed", "soft_404", "rate_limited"]


@dataclass(frozen=True, slots=True)
class Block:
    """`code` is for programs, `detail` a sentence for people."""

    code: Code
    detail: str


def blocked(*, status: int, html: str | bytes, text: str, title: str, url: str, final_url: str) -> Block | None:
    """What kind of page it is, if it is no article."""
    del html, text, title, url, final_url
    return Block("rate_limited", "The site says that it is asked too often.") if status == 429 else None
