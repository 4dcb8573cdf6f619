"""Acts of operators are entered before they are done, on both stores."""

import pytest
import redis

from services.errors import NotFound, StoreUnavailable
from services.events import AdminActed
from services.journal.audit import Act, Audit, AuditEntry
from services.scripts import HeldConnections, ScriptRunner
from tests.redis_server import free_port
from tests.services.stores import Store
from tests.services.threads import at_once

pytestmark = pytest.mark.contract

FREEZE = Act(
    action="freeze",
    actor="client:svc-desk",
    phone_tag="tagtagtagtagtagt",
    subject="subjectsubjectsubjectx",
    detail="stolen card",
)


@pytest.fixture
def audit(store: Store) -> Audit:
    return Audit(store.scripts, emit=store.events.append, request_id=lambda: "req-1")


def acted(store: Store) -> list[AdminActed]:
    return [it for it in store.events if isinstance(it, AdminActed)]


def outcomes(audit: Audit) -> list[tuple[str, str, str]]:
    return [(it.action, it.detail, it.outcome) for it in audit.last(50)]


def test_an_act_is_entered_whole(audit: Audit, store: Store) -> None:
    with audit.acting(FREEZE):
        pass

    (entry,) = audit.last(10)
    assert entry == AuditEntry(
        at=entry.at,
        op=entry.op,
        action="freeze",
        actor="client:svc-desk",
        phone_tag="tagtagtagtagtagt",
        subject="subjectsubjectsubjectx",
        detail="stolen card",
        request="req-1",
        outcome="begun",
    )
    seconds, micros = store.client.time()
    assert entry.at == pytest.approx(seconds + micros / 1e6, abs=60)
    assert len(entry.op) == 8


def test_it_is_entered_before_it_is_done(audit: Audit) -> None:
    seen = []

    with audit.acting(FREEZE):
        seen = outcomes(audit)

    assert seen == [("freeze", "stolen card", "begun")]


def test_an_act_that_fails_has_a_second_entry(audit: Audit, store: Store) -> None:
    with pytest.raises(NotFound), audit.acting(FREEZE):
        raise NotFound

    failed, begun = audit.last(50)
    assert (failed.outcome, failed.detail) == ("failed", "not_found")
    assert (begun.outcome, begun.op) == ("begun", failed.op)
    assert [(it.outcome, it.detail) for it in acted(store)] == [("failed", "not_found")]


def test_an_unexpected_failure_is_named_and_not_quoted(audit: Audit) -> None:
    with pytest.raises(RuntimeError), audit.acting(FREEZE):
        raise RuntimeError("+919876543210")

    assert outcomes(audit)[0] == ("freeze", "RuntimeError", "failed")


def test_an_act_that_is_done_is_an_event(audit: Audit, store: Store) -> None:
    with audit.acting(FREEZE):
        assert acted(store) == []

    assert acted(store) == [
        AdminActed(
            action="freeze",
            actor="client:svc-desk",
            phone_tag="tagtagtagtagtagt",
            subject="subjectsubjectsubjectx",
            detail="stolen card",
            outcome="done",
        )
    ]


def test_nothing_is_done_without_its_entry() -> None:
    nowhere = redis.ConnectionPool.from_url(f"redis://127.0.0.1:{free_port()}/0")
    scripts = ScriptRunner(HeldConnections(nowhere), emit=lambda _: None)
    audit = Audit(scripts, emit=lambda _: None)
    done = []

    with pytest.raises(StoreUnavailable), audit.acting(FREEZE):
        done.append("it")

    assert done == []


def test_the_newest_come_first_and_no_more_than_asked_for(audit: Audit) -> None:
    for number in range(5):
        with audit.acting(Act(action=f"act-{number}", actor="cli:me")):
            pass

    assert [it.action for it in audit.last(3)] == ["act-4", "act-3", "act-2"]
    assert len(audit.last(50)) == 5


def test_an_empty_audit_reads_as_empty(audit: Audit) -> None:
    assert audit.last(50) == []


def test_it_is_kept_for_400_days_from_the_last_entry(
    audit: Audit, store: Store
) -> None:
    with audit.acting(FREEZE):
        pass
    store.client.pexpire("audit", 1_000)
    with audit.acting(FREEZE):
        pass

    _, ttl = store.dump()["audit"]
    assert ttl == pytest.approx(400 * 86_400_000, abs=60_000)


def test_an_entry_that_is_entered_again_is_entered_once(
    audit: Audit, store: Store
) -> None:
    """As after a lost answer, also by two connections at once."""
    at_once(4, lambda _: audit._enter("same-op", FREEZE, "why", "begun"))
    with audit.acting(FREEZE):
        pass
    audit._enter("same-op", FREEZE, "why", "begun")

    assert len(audit.last(50)) == 2


def test_about_a_hundred_thousand_entries_are_kept(real_store: Store) -> None:
    # A real one alone: the embedded store would take seconds.
    audit = Audit(real_store.scripts, emit=real_store.events.append)
    with real_store.client.pipeline(transaction=False) as pipeline:
        for _ in range(100_500):
            pipeline.xadd("audit", {"op": ""})
        pipeline.execute()
    with audit.acting(FREEZE):
        pass

    # Redis trims by whole nodes of 100.
    assert 100_000 <= real_store.client.xlen("audit") <= 100_100
