"""Photos in a bucket, over the protocol of S3."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from huaxiao.dispatch.attachments.objects import BucketStore, store_of
from huaxiao.dispatch.settings import Settings
from huaxiao.shared.problems import Unavailable

BUCKET = "photos"
CONTENT = os.urandom(70_000)


@pytest.fixture
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def settings(endpoint: str, settings_for: Callable[[str], Any], tmp_path: Path) -> Settings:
    secret = tmp_path / "secret"
    secret.write_text("of-nobody\n")
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="of-nobody",
    )
    client.create_bucket(Bucket=BUCKET)
    return Settings(
        **settings_for("dispatch"),
        attachments_bucket=BUCKET,
        attachments_endpoint=endpoint,
        attachments_access_key="key",
        attachments_secret_file=secret,
    )


async def test_what_is_put_is_there_for_every_service_that_looks(settings: Settings) -> None:
    store, other = store_of(settings), store_of(settings)
    assert isinstance(store, BucketStore)
    assert isinstance(other, BucketStore)
    assert await other.get("130123/ab/abc") is None
    await store.put("130123/ab/abc", CONTENT)
    await store.put("130123/ab/abc", CONTENT)
    assert await other.get("130123/ab/abc") == CONTENT


async def test_a_bucket_that_is_not_there_is_told(settings: Settings) -> None:
    store = store_of(settings.model_copy(update={"attachments_bucket": "nowhere"}))
    assert store is not None
    with pytest.raises(Unavailable):
        await store.put("130123/ab/abc", CONTENT)


async def test_a_server_that_does_not_answer_is_told(settings: Settings) -> None:
    gone = settings.model_copy(update={"attachments_endpoint": "http://127.0.0.1:9"})
    store = store_of(gone)
    assert store is not None
    with pytest.raises(Unavailable):
        await store.get("130123/ab/abc")
    with pytest.raises(Unavailable):
        await store.put("130123/ab/abc", CONTENT)
