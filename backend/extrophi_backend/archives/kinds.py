"""The archives that platforms give to people, and that are known."""

from collections.abc import Sequence

from extrophi_backend.archives.models import Kind
from extrophi_backend.collectors.reddit import archive as reddit
from extrophi_backend.collectors.twitter import by_archive as twitter
from extrophi_backend.collectors.youtube import archive as youtube

KINDS: Sequence[Kind] = (twitter.KIND, reddit.KIND, youtube.KIND)
