"""Run the simulator as a process: ``python -m tests.simulator --port N``."""

import argparse
import signal
import threading

from tests.simulator.delivery import Timing
from tests.simulator.simulator import (
    DEFAULT_ACCOUNT_SID,
    DEFAULT_AUTH_TOKEN,
    DEFAULT_FAST2SMS_KEY,
    Simulator,
)

_TIMING = Timing()


def _split_receipts(text: str) -> tuple[str, str]:
    vendor, equals, url = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError("must be VENDOR=URL")
    return vendor, url


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
    parser.add_argument(
        "--receipts",
        type=_split_receipts,
        action="append",
        default=[],
        metavar="VENDOR=URL",
        help="where a vendor's delivery receipts go; may be given again",
    )
    parser.add_argument(
        "--sent-after",
        type=float,
        default=_TIMING.sent_seconds,
        metavar="SECONDS",
        help="from a vendor's answer to its receipt that the text is on its way",
    )
    parser.add_argument(
        "--delivered-after",
        type=float,
        default=_TIMING.delivered_seconds,
        metavar="SECONDS",
        help="from a vendor's answer to its receipt that the text has arrived",
    )
    parser.add_argument("--seed", type=int, default=0, help="for delivery rates")
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
        receipt_urls=dict(arguments.receipts),
        timing=Timing(arguments.sent_after, arguments.delivered_after),
        seed=arguments.seed,
    ) as simulator:
        print(f"listening on {simulator.url}", flush=True)  # noqa: T201
        stopping.wait()


if __name__ == "__main__":
    main()
