"""/v1 as OpenAI's own client sees it, over a real connection."""

import asyncio
import base64
import http.client
import json
import struct
from contextlib import closing

import httpx
import numpy as np
import openai
import pytest

from extrophi_research.app import create_app
from extrophi_research.embeddings.local import DIMENSIONS, NAME, LocalModel
from extrophi_research.settings import Settings
from tests.app_server import serving

TEXTS = ["Herons stand in the shallows.", "Bread needs a starter.", "鹭", "🙂 " * 10]


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    # Embedding needs no database, and does not wait for one.
    given = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none", "EXTROPHI_DATA": tmp_path_factory.mktemp("data")}
    with serving(create_app(Settings.model_validate(given))) as address:
        yield f"{address}/v1"


@pytest.fixture
def client(url):
    with openai.OpenAI(base_url=url, api_key="any", max_retries=0) as made:
        yield made


@pytest.fixture(scope="module")
def expected():
    return LocalModel().embed(TEXTS)


def test_a_batch_comes_back_in_order_with_its_tokens_counted(client, expected):
    vectors, tokens = expected
    answer = client.embeddings.create(model=NAME, input=TEXTS)  # the client asks for base64 unless told otherwise
    assert [one.index for one in answer.data] == [0, 1, 2, 3]
    assert np.allclose([one.embedding for one in answer.data], vectors, atol=1e-6)
    assert answer.usage.prompt_tokens == answer.usage.total_tokens == tokens
    assert answer.model == NAME
    assert answer.object == "list"


def test_floats_and_base64_are_the_same_numbers(client, url):
    floats = client.embeddings.create(model=NAME, input=TEXTS, encoding_format="float")
    packed = httpx.post(f"{url}/embeddings", json={"model": NAME, "input": TEXTS, "encoding_format": "base64"}).json()
    for one, other in zip(floats.data, packed["data"], strict=True):
        unpacked = struct.unpack(f"<{DIMENSIONS}f", base64.b64decode(other["embedding"]))
        assert np.allclose(one.embedding, unpacked, atol=1e-7)
        assert abs(sum(x * x for x in unpacked) - 1) < 1e-3


def test_a_single_text_needs_no_list(client):
    answer = client.embeddings.create(model=NAME, input="Herons.", dimensions=DIMENSIONS, user="someone")
    assert len(answer.data) == 1
    assert len(answer.data[0].embedding) == DIMENSIONS


def test_a_megabyte_is_embedded_by_its_beginning(client):
    beginning = "Herons stand in the shallows. " * 100
    long = client.embeddings.create(model=NAME, input=beginning + "x " * 500_000)
    short = client.embeddings.create(model=NAME, input=beginning)
    assert np.allclose(long.data[0].embedding, short.data[0].embedding, atol=1e-6)
    assert long.usage.prompt_tokens == 256


def test_as_many_texts_as_openai_takes_at_once(client):
    assert len(client.embeddings.create(model=NAME, input=["a"] * 2048).data) == 2048


async def test_the_asynchronous_client_is_served_at_once_many_times(url, expected):
    vectors, _ = expected
    async with openai.AsyncOpenAI(base_url=url, api_key="any", max_retries=0) as client:
        answers = await asyncio.gather(*(client.embeddings.create(model=NAME, input=text) for text in TEXTS * 5))
    for number, answer in enumerate(answers):
        # A batch pads its texts to one length, which moves the last digits of an int8 model.
        assert np.dot(answer.data[0].embedding, vectors[number % len(TEXTS)]) > 0.99


def test_the_models_are_listed(client):
    assert [one.id for one in client.models.list()] == [NAME]
    assert client.models.retrieve(NAME).object == "model"


@pytest.mark.parametrize(
    ("given", "param", "said"),
    [
        ({"input": ""}, "input", "none of them empty"),
        ({"input": []}, "input", "a list of texts"),
        ({"input": ["a", ""]}, "input", "none of them empty"),
        ({"input": ["a"] * 2049}, "input", "at most 2048"),
        ({"input": [1, 2, 3]}, "input", "Send the text itself"),
        ({"input": [[1, 2], [3]]}, "input", "Send the text itself"),
        ({"input": {"text": "a"}}, "input", "a list of texts"),
        ({"input": "a", "dimensions": 512}, "dimensions", "384"),
        ({"input": "a", "encoding_format": "hex"}, "encoding_format", "float"),
    ],
)
def test_what_cannot_be_embedded_is_a_bad_request_that_names_it(client, given, param, said):
    with pytest.raises(openai.BadRequestError) as caught:
        client.embeddings.create(**({"model": NAME} | given))
    assert caught.value.param == param
    assert caught.value.code == "invalid_value"
    assert caught.value.type == "invalid_request_error"
    assert said in caught.value.message


def test_another_model_is_not_found(client):
    with pytest.raises(openai.NotFoundError) as caught:
        client.embeddings.create(model="text-embedding-3-small", input="a")
    assert caught.value.code == "model_not_found"
    assert NAME in caught.value.message
    for name in ("gpt-9", "some/model"):
        with pytest.raises(openai.NotFoundError) as caught:
            client.models.retrieve(name)
        assert caught.value.code in {"model_not_found", "not_found"}


@pytest.mark.parametrize("content", [b"not json", b"", b"[]", b'{"input": "\\ud800"}', b"\xff", b"[" * 100_000])
def test_a_body_that_cannot_be_read_is_a_bad_request(url, content):
    answer = httpx.post(f"{url}/embeddings", content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


def test_every_error_has_openais_shape(url, client, tmp_path):
    nothing = httpx.get(f"{url}/files")
    method = httpx.get(f"{url}/embeddings")
    for answer, status in ((nothing, 404), (method, 405)):
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-request-id"]
        assert answer.json()["error"]["type"] == "invalid_request_error"
        assert answer.json()["error"]["message"]
    assert method.headers["allow"] == "POST"
    connection = http.client.HTTPConnection(httpx.URL(url).host, httpx.URL(url).port)
    with closing(connection):  # the refusal comes before the body does
        connection.putrequest("POST", "/v1/embeddings")
        connection.putheader("content-length", "40000001")
        connection.endheaders()
        refused = connection.getresponse()
        assert refused.status == 413
        assert json.loads(refused.read())["error"]["code"] == "too_large"
    given = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none", "EXTROPHI_DATA": tmp_path}
    with (
        serving(create_app(Settings.model_validate(given | {"EXTROPHI_SERVICE_KEY": "key"}))) as address,
        openai.OpenAI(base_url=f"{address}/v1", api_key="wrong", max_retries=0) as stranger,
        pytest.raises(openai.AuthenticationError) as caught,
    ):
        stranger.embeddings.create(model=NAME, input="a")
    assert "EXTROPHI_SERVICE_KEY" in caught.value.message
