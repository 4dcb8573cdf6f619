"""The production server: granian's workers, each with threads that wait for SMS."""

import math
import multiprocessing
import os
import socket
from contextlib import ExitStack
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server.common import AbstractServer

from config.config import Settings, SettingsError

# Connections that a worker takes, idle ones included. Far more than threads, or a few
# hundred silent sockets would keep everybody else out.
CONNECTIONS_PER_WORKER = 1_024

# Standard output belongs to the log's JSON lines.
LOGS_ON_STDERR: dict[str, Any] = {
    "handlers": {
        name: {
            "formatter": "generic",
            "class": "logging.StreamHandler",
            "stream": "ext://sys.stderr",
        }
        for name in ("console", "access")
    }
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """Where the server listens and how much it does at a time."""

    host: str
    port: int
    workers: int
    threads: int
    stop_seconds: int


def server_options(settings: Settings) -> ServerOptions:
    """Choose the options; what lives inside one process allows one worker only."""
    single = settings.embedded_store or settings.ephemeral_secret
    return ServerOptions(
        host=settings.host,
        port=settings.port,
        workers=1 if single else settings.workers,
        threads=settings.threads,
        # A send under way may take its whole deadline, and its answer a moment more.
        stop_seconds=math.ceil(settings.sms_deadline_seconds) + 2,
    )


def serve(target: str, options: ServerOptions) -> None:
    """Serve the WSGI application that `target` names until a signal ends it.

    Workers import the target afresh and see this process's environment. Several of
    them share their metrics through the directory in `PROMETHEUS_MULTIPROC_DIR`, a
    fresh one unless set.
    """
    # A fork would copy locks of running threads and metrics already set up.
    multiprocessing.set_start_method("spawn", force=True)
    with ExitStack() as stack:
        if options.workers > 1 and "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            directory = TemporaryDirectory(prefix="quickcart-metrics-")
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = stack.enter_context(directory)
        _build_server(target, options).serve()


def try_to_listen(options: ServerOptions) -> None:
    """Find out whether the server will be able to listen.

    Raises:
        SettingsError: it will not.
    """
    # The workers share their port (SO_REUSEPORT), so a second server would silently
    # take half of the first one's requests.
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((options.host, options.port))
        except OSError as error:
            problem = f"PORT: cannot listen on {options.host}:{options.port}"
            raise SettingsError((f"{problem}: {error.strerror}",)) from error


def _build_server(target: str, options: ServerOptions) -> AbstractServer[Any]:
    return Granian(
        target,
        interface=Interfaces.WSGI,
        address=options.host,
        port=options.port,
        http=HTTPModes.http1,
        websockets=False,
        workers=options.workers,
        blocking_threads=options.threads,
        backpressure=max(CONNECTIONS_PER_WORKER, 2 * options.threads),
        # Without it, one killed worker ends the whole server.
        respawn_failed_workers=True,
        workers_kill_timeout=options.stop_seconds,
        # The service logs its events itself; the server speaks up on failures.
        log_access=False,
        log_level=LogLevels.error,
        log_dictconfig=LOGS_ON_STDERR,
    )
