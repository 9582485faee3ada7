"""Celery over Redis: carries ids of jobs, and decides nothing."""

from collections.abc import Iterable
from urllib.parse import urlsplit
from uuid import UUID

from celery import Celery

RUN_JOB = "extrophi.run_job"


def make_celery(redis_url: str) -> Celery:
    """The Celery app of workers and of those who send to them. Connects to nothing yet."""
    app = Celery("extrophi", broker=broker_url(redis_url), set_as_current=False)
    app.conf.update(
        task_ignore_result=True,
        task_default_queue="extrophi",
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
    """Tell workers of jobs, over one connection. Raises kombu's OperationalError if Redis is away."""
    with app.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, interval_start=0.1, timeout=2)
        for job_id in job_ids:
            app.send_task(RUN_JOB, [str(job_id)], connection=connection, retry=False)
