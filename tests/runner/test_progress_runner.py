"""The progress-runner component behind its generated adapter: workbook, events, telemetry."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import runner.bindings.progress_runner as wit

from witgen import runtime as rt

SCOPE = wit.Scope("ada", "task", None)
ALL = wit.Filter(None, None, None, wit.Phases(0))
Change = wit.FieldChange


@pytest.fixture
def runner(component: rt.Component) -> wit.ProgressRunner:
    return wit.ProgressRunner(component)


def step(*changes: Change, scope: wit.Scope = SCOPE, progress: float | None = None, at: int = 1) -> wit.Step:
    return wit.Step(scope, None, progress, at, list(changes), None)


def subscribe(
    runner: wit.ProgressRunner, capacity: int = 16, filter_: wit.Filter = ALL, overflow: wit.Overflow | None = None
) -> wit.Subscription:
    options = wit.SubscriptionOptions(filter_, capacity, overflow or wit.Overflow.REFUSE)
    return runner.events.subscription.open(options)


def kind_of(caught: pytest.ExceptionInfo[wit.ErrorException]) -> wit.ErrorKind:
    return caught.value.value.kind


def test_every_kind_of_value_comes_back_as_it_was(runner: wit.ProgressRunner) -> None:
    values: list[wit.Value] = [
        wit.Value_Text("zwölf 🎉 \0"),
        wit.Value_Text(""),
        wit.Value_Integer(-(1 << 63)),
        wit.Value_Integer((1 << 63) - 1),
        wit.Value_Real(-0.0),
        wit.Value_Real(float("inf")),
        wit.Value_Boolean(True),
        wit.Value_Boolean(False),
    ]
    runner.workbook.update(step(*(Change("s", f"k{i}", value) for i, value in enumerate(values))))
    entries = runner.workbook.get_section(SCOPE, "s")
    assert [entry.value for entry in entries] == values
    assert str(entries[4].value) == str(wit.Value_Real(-0.0))
    assert all(entry.dirty for entry in entries)


def test_an_update_is_received_until_it_is_acknowledged(runner: wit.ProgressRunner) -> None:
    with subscribe(runner) as subscription:
        ids = [runner.workbook.update(step(progress=i / 4, at=i)) for i in range(4)]
        assert subscription.ready() == 4
        batch = subscription.recv(3)
        assert [update.id for update in batch.updates] == ids[:3]
        assert [update.progress for update in batch.updates] == [0.0, 0.25, 0.5]
        assert batch.missed == 0
        assert subscription.ack(ids[1]) == 2
        assert subscription.redeliver() == 1
        assert [update.id for update in subscription.recv(9).updates] == ids[2:]
        assert subscription.ack(ids[3]) == 2
        assert subscription.recv(9).updates == []


def test_what_was_not_taken_cannot_be_acknowledged(runner: wit.ProgressRunner) -> None:
    with subscribe(runner) as subscription:
        id_ = runner.workbook.update(step())
        with pytest.raises(wit.ErrorException) as caught:
            subscription.ack(id_)
        assert kind_of(caught) is wit.ErrorKind.INVALID_ARGUMENT
        assert subscription.ready() == 1


def test_a_full_queue_refuses_the_update_and_changes_nothing(runner: wit.ProgressRunner) -> None:
    with subscribe(runner, capacity=1):
        runner.workbook.update(step(Change("s", "k", wit.Value_Integer(1))))
        with pytest.raises(wit.ErrorException) as caught:
            runner.workbook.update(step(Change("s", "k", wit.Value_Integer(2))))
        assert kind_of(caught) is wit.ErrorKind.EXHAUSTED
        (entry,) = runner.workbook.get_section(SCOPE, "s")
        assert entry.value == wit.Value_Integer(1)
    runner.workbook.update(step(Change("s", "k", wit.Value_Integer(3))))


def test_a_queue_that_drops_counts_what_it_dropped(runner: wit.ProgressRunner) -> None:
    with subscribe(runner, capacity=2, overflow=wit.Overflow.DROP_OLDEST) as subscription:
        ids = [runner.workbook.update(step(at=i)) for i in range(5)]
        batch = subscription.recv(9)
        assert [update.id for update in batch.updates] == ids[3:]
        assert batch.missed == 3


def test_filters_let_through_what_they_name(runner: wit.ProgressRunner) -> None:
    tenant = wit.Scope("ada", "task", "acme")
    wanted = wit.Filter(None, None, "acme", wit.Phases.EXECUTING | wit.Phases.CLOSING)
    with subscribe(runner, filter_=wanted) as subscription:
        runner.workbook.update(wit.Step(SCOPE, wit.Phase.EXECUTING, None, 1, [], None))
        runner.workbook.update(wit.Step(tenant, wit.Phase.PLANNING, None, 1, [], None))
        seen = runner.workbook.update(wit.Step(tenant, wit.Phase.EXECUTING, None, 1, [], wit.ErrorKind.TIMEOUT))
        (update,) = subscription.recv(9).updates
        assert (update.id, update.scope, update.failure) == (seen, tenant, wit.ErrorKind.TIMEOUT)


def test_rollback_takes_back_and_says_what_it_took_back(runner: wit.ProgressRunner) -> None:
    runner.workbook.update(step(Change("s", "a", wit.Value_Integer(1)), progress=0.25))
    runner.workbook.checkpoint(SCOPE, "one")
    runner.workbook.update(step(Change("s", "a", None), Change("s", "b", wit.Value_Text("new")), progress=0.75, at=2))
    runner.workbook.checkpoint(SCOPE, "two")
    with subscribe(runner) as subscription:
        runner.workbook.rollback(SCOPE, "one", 3)
        (update,) = subscription.recv(1).updates
    assert {(c.section, c.key): c.value for c in update.changes} == {
        ("s", "a"): wit.Value_Integer(1),
        ("s", "b"): None,
    }
    status = runner.workbook.get_status(SCOPE)
    assert (status.progress, status.checkpoints, status.revision) == (0.25, ["one"], update.id)
    assert [(entry.key, entry.value) for entry in status.entries] == [("a", wit.Value_Integer(1))]


def test_an_edit_is_applied_at_once_and_given_away(runner: wit.ProgressRunner) -> None:
    edit = runner.workbook.edit(SCOPE)
    edit.set("s", "a", wit.Value_Boolean(True))
    edit.set("s", "a", wit.Value_Boolean(False))
    edit.clear("s", "b")
    assert edit.pending() == 2
    runner.workbook.edit.commit(edit, 5)
    with pytest.raises(rt.ResourceDropped):
        edit.pending()
    (entry,) = runner.workbook.get_section(SCOPE, "s")
    assert entry.value == wit.Value_Boolean(False)


@pytest.mark.parametrize("value", [wit.Value_Real(float("nan"))])
def test_what_the_contract_refuses_is_refused(runner: wit.ProgressRunner, value: wit.Value) -> None:
    with runner.workbook.edit(SCOPE) as edit, pytest.raises(wit.ErrorException) as caught:
        edit.set("s", "a", value)
    assert kind_of(caught) is wit.ErrorKind.INVALID_ARGUMENT
    for section in ("", "a\x1fb"):
        with pytest.raises(wit.ErrorException) as caught:
            runner.workbook.update(step(Change(section, "k", None)))
        assert kind_of(caught) is wit.ErrorKind.INVALID_ARGUMENT
    with pytest.raises(wit.ErrorException) as caught:
        runner.workbook.get_status(wit.Scope("nobody", "task", None))
    assert kind_of(caught) is wit.ErrorKind.NOT_FOUND


def test_flush_gives_what_changed_and_only_that(runner: wit.ProgressRunner) -> None:
    runner.workbook.update(step(*(Change("s", f"k{i}", wit.Value_Integer(i)) for i in range(5))))
    first = runner.workbook.flush(SCOPE, 3)
    assert [change.key for change in first] == ["k0", "k1", "k2"]
    assert [change.key for change in runner.workbook.flush(SCOPE, 9)] == ["k3", "k4"]
    assert runner.workbook.flush(SCOPE, 9) == []
    runner.workbook.update(step(Change("s", "k1", None)))
    assert runner.workbook.flush(SCOPE, 9) == [Change("s", "k1", None)]


def test_wakeful_names_each_ready_subscription_once(runner: wit.ProgressRunner) -> None:
    with subscribe(runner) as one, subscribe(runner) as two:
        assert runner.events.wakeful(9) == []
        runner.workbook.update(step())
        runner.workbook.update(step())
        assert sorted(runner.events.wakeful(9)) == sorted([one.token(), two.token()])
        assert runner.events.wakeful(9) == []
        one.recv(9)
        runner.workbook.update(step())
        assert runner.events.wakeful(9) == [one.token()]


def test_heartbeats_and_metrics(runner: wit.ProgressRunner) -> None:
    with subscribe(runner):
        runner.workbook.update(step())
        first = runner.telemetry.heartbeat(1_000, ["runner.progress_bus"])
        second = runner.telemetry.heartbeat(4_000, ["runner.progress_bus"])
    assert (first.sequence, first.interval, first.scopes, first.subscriptions, first.queued) == (1, None, 1, 1, 1)
    assert (second.sequence, second.interval) == (2, 3_000)
    metrics = runner.telemetry.flush_metrics()
    assert {metric.kind for metric in metrics} == set(wit.MetricKind)
    counters = {m.name: m.value for m in runner.telemetry.flush_metrics() if m.kind is wit.MetricKind.COUNTER}
    assert not any(counters.values())


def test_instances_share_nothing(component: rt.Component) -> None:
    one, two = wit.ProgressRunner(component), wit.ProgressRunner(component)
    one.workbook.update(step())
    with pytest.raises(wit.ErrorException):
        two.workbook.get_status(SCOPE)
    edit = one.workbook.edit(SCOPE)
    with pytest.raises(rt.ResourceDropped, match="another instance"):
        two.workbook.edit.commit(edit, 1)
    edit.close()


def test_resources_that_are_collected_are_dropped_in_the_guest(runner: wit.ProgressRunner) -> None:
    for _ in range(100):
        subscribe(runner, capacity=1)
    assert runner.telemetry.heartbeat(1, []).subscriptions == 0


def test_an_instance_in_use_is_refused_to_another_thread(component: rt.Component) -> None:
    runner = wit.ProgressRunner(component)
    runner._instance.enter()
    found: list[BaseException] = []

    def other() -> None:
        try:
            runner.workbook.update(step())
        except rt.InstanceUnavailable as error:
            found.append(error)

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    runner._instance.leave(None)
    assert len(found) == 1
    assert "in another call" in str(found[0])
    runner.workbook.update(step())


def test_a_truncated_component_is_refused(component_file: Path) -> None:
    data = component_file.read_bytes()
    for length in (0, 4, 8, 100, len(data) // 2, len(data) - 1):
        with pytest.raises(rt.ComponentError) as caught:
            wit.ProgressRunner(rt.Component(data[:length]))
        assert str(caught.value)
