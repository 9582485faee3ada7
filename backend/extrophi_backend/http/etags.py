"""Entity tags (RFC 9110, section 8.8.3) and what requests ask by them."""

import re

from extrophi_backend.errors import InvalidInput, PreconditionRequired

_REVISION = re.compile(r'"([1-9][0-9]{0,8})"')


def is_known(etag: str, none_match: str | None) -> bool:
    """Whether the client has it already, by its If-None-Match (section 13.1.2)."""
    if none_match is None:
        return False
    tags = {tag.strip().removeprefix("W/") for tag in none_match.split(",")}
    return "*" in tags or etag in tags


def write_revision(revision: int) -> str:
    return f'"{revision}"'


def read_revision(match: str | None) -> int:
    """The revision that an If-Match names.

    `*` would overwrite whatever is there, a weak tag tells of something that is only much like it, and of several no
    one is the one that was seen.

    Raises:
        PreconditionRequired: there is no If-Match.
        InvalidInput: it names not one revision.
    """
    hint = 'Send the ETag of what was read, as it is: If-Match: "3".'
    if match is None:
        raise PreconditionRequired("Nothing is overwritten unseen: say which revision was read.", hint=hint)
    found = _REVISION.fullmatch(match.strip())
    if found is None:
        raise InvalidInput("If-Match: it names no revision.", field="if-match", hint=hint)
    return int(found[1])
