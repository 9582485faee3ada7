"""Posts of a list that are to be asked for again, whatever the list shows by then."""

from collections.abc import Iterator
from typing import Any, cast

from extrophi_backend.collectors.reddit.parse import as_object

_MOST = 1_000
"""The latest stay. Each is 10 bytes, and a hundred of them are asked for at once."""


class Pending:
    """Their ids, in the order in which they failed. `memo` is JSON, and is read again by a later run.

    Args:
        memo: What an earlier run left; None if nothing.
    """

    def __init__(self, memo: Any) -> None:
        found = as_object(memo).get("ids")
        ids = cast("list[Any]", found) if isinstance(found, list) else []
        self._ids = dict.fromkeys(one for one in ids if isinstance(one, str))

    def __iter__(self) -> Iterator[str]:
        return iter([*self._ids])

    def put(self, post_id: str, *, is_pending: bool) -> bool:
        """Note a post, or strike it off; whether that changed anything."""
        if (post_id in self._ids) == is_pending:
            return False
        if not is_pending:
            del self._ids[post_id]
            return True
        self._ids[post_id] = None
        if len(self._ids) > _MOST:
            del self._ids[next(iter(self._ids))]
        return True

    @property
    def memo(self) -> Any:
        return {"ids": [*self._ids]}
