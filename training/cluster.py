"""Ray for the time that some work takes: the cluster that is named, or this machine's cores."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def ray_for(num_workers: int) -> Iterator[None]:
    """Have Ray running, and stop it again where it was started here."""
    import ray  # takes seconds, and not all that imports this module comes here

    started_here = not ray.is_initialized()
    if started_here:
        # A cluster that is named has its own processors; one of our own listens on loopback.
        local: dict[str, Any] = {"num_cpus": num_workers, "_node_ip_address": "127.0.0.1"}
        with _without_news():
            ray.init(
                **({} if "RAY_ADDRESS" in os.environ else local),
                include_dashboard=False,
                logging_level=logging.ERROR,
                configure_logging=False,
            )
    try:
        yield
    finally:
        if started_here:
            ray.shutdown()


@contextmanager
def _without_news() -> Iterator[None]:
    """Keep Ray from warning that it asks its clients for a token, which is as it should be."""

    def is_news(record: logging.LogRecord) -> bool:
        return not record.getMessage().startswith("Token authentication is enabled")

    log = logging.getLogger("ray._private.authentication.authentication_token_setup")
    log.addFilter(is_news)
    try:
        yield
    finally:
        log.removeFilter(is_news)
