"""SMS vendors on a local port: their wire formats, their errors, and their bad days."""

from tests.simulator.delivery import Timing
from tests.simulator.inbox import Message, Outcome
from tests.simulator.receipts import ReceiptRefused, SentReceipt
from tests.simulator.rules import Action, Rule, RuleRefused
from tests.simulator.simulator import Simulator

__all__ = [
    "Action",
    "Message",
    "Outcome",
    "ReceiptRefused",
    "Rule",
    "RuleRefused",
    "SentReceipt",
    "Simulator",
    "Timing",
]
