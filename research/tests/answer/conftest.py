from collections.abc import Iterator

import pytest

from tests.chat_endpoint import ChatEndpoint, serving


@pytest.fixture
def chat() -> Iterator[ChatEndpoint]:
    with serving() as endpoint:
        yield endpoint
