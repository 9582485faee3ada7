"""Celery over Redis: carries ids of jobs, and decides nothing."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit
from uuid import UUID

import redis
from celery import Celery
from kombu.connection import Connection
from kombu.exceptions import ChannelError, OperationalError

RUN_JOB = "extrophi.run_job"
QUEUE = "extrophi"


def make_celery(redis_url: str) -> Celery:
    """The Celery app of workers and of those who send to them. Connects to nothing yet."""
    app = Celery("extrophi", broker=broker_url(redis_url), set_as_current=False)
    app.conf.update(
        task_ignore_result=True,
        task_default_queue=QUEUE,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={"visibility_timeout": 3600, "socket_connect_timeout": 2, "socket_timeout": 10},
    )
    return app


def broker_url(redis_url: str) -> str:
    """Kombu has a name of its own for Unix sockets."""
    if redis_url.startswith("unix://"):
        return f"redis+socket://{urlsplit(redis_url).path}"
    return redis_url


def send(app: Celery, job_ids: Iterable[UUID]) -> None:
    """Tell workers of jobs, over one connection. Raises kombu's OperationalError if Redis is away, or full."""
    with _connected(app) as connection:
        for job_id in job_ids:
            app.send_task(RUN_JOB, [str(job_id)], connection=connection, retry=False)


def waiting(app: Celery) -> int:
    """How many messages no worker has taken yet. Raises kombu's OperationalError if Redis is away."""
    with _connected(app) as connection, suppress(ChannelError):  # no queue: Redis is empty
        return int(connection.default_channel.queue_declare(QUEUE, passive=True).message_count)
    return 0


@contextmanager
def _connected(app: Celery) -> Generator[Connection]:
    try:
        with app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0.1, timeout=2)
            yield connection
    except redis.RedisError as error:
        raise OperationalError(str(error)) from error
