"""Run the simulator as a process: ``python -m tests.simulator --port N``."""

import argparse
import signal
import threading

from tests.simulator.simulator import (
    DEFAULT_ACCOUNT_SID,
    DEFAULT_AUTH_TOKEN,
    DEFAULT_FAST2SMS_KEY,
    Simulator,
)


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulator",
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument(
        "--latency",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="delay before every vendor's answer",
    )
    parser.add_argument("--account-sid", default=DEFAULT_ACCOUNT_SID)
    parser.add_argument("--auth-token", default=DEFAULT_AUTH_TOKEN)
    parser.add_argument("--fast2sms-key", default=DEFAULT_FAST2SMS_KEY)
    return parser.parse_args()


def main() -> None:
    """Serve until interrupted or terminated."""
    arguments = _parse_arguments()
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    with Simulator(
        host=arguments.host,
        port=arguments.port,
        account_sid=arguments.account_sid,
        auth_token=arguments.auth_token,
        fast2sms_key=arguments.fast2sms_key,
        latency_seconds=arguments.latency,
    ) as simulator:
        print(f"listening on {simulator.url}", flush=True)  # noqa: T201
        stopping.wait()


if __name__ == "__main__":
    main()
