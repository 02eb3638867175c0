"""What the host's progress does beside the contract: it is durable, shared between processes, batched and switched."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from runner.bindings import progress_client as wit
from runner.progress import Progress, StoreError
from runner.progress.database import Database
from structlog.testing import capture_logs

from tests.runner.progress.support import (
    ALL,
    SCOPE,
    ids,
    kind_of,
    number,
    on_disk,
    options,
    step,
    subscribe,
)


def test_what_was_updated_is_there_after_a_restart(tmp_path: Path) -> None:
    with on_disk(tmp_path) as progress:
        progress.workbook.update(step(number("k", 1), progress=0.5))
        progress.workbook.checkpoint(SCOPE, "one")
        last = progress.workbook.update(step(number("k", 2), at=2))
    with on_disk(tmp_path) as progress:
        status = progress.workbook.get_status(SCOPE)
        assert (status.progress, status.revision, status.checkpoints) == (0.5, last, ["one"])
        progress.workbook.rollback(SCOPE, "one", 3)
        assert [entry.value for entry in progress.workbook.get_section(SCOPE, "s")] == [wit.Value_Integer(1)]
        assert progress.latest()[-1].id == last + 1


def test_a_named_subscription_goes_on_where_it_was(tmp_path: Path) -> None:
    with on_disk(tmp_path) as progress:
        subscription = subscribe(progress, "audit")
        first, second, third = (progress.workbook.update(step(at=n)) for n in range(3))
        assert ids(subscription.recv(2)) == [first, second]
        assert subscription.ack(first) == 1
    with on_disk(tmp_path) as progress:
        fourth = progress.workbook.update(step(at=9))
        again = subscribe(progress, "audit")
        assert ids(again.recv(9)) == [second, third, fourth]


def test_a_subscription_without_a_name_ends_with_its_handle_and_with_its_process(tmp_path: Path) -> None:
    with on_disk(tmp_path) as progress:
        with subscribe(progress):
            assert progress.telemetry.heartbeat(1, []).subscriptions == 1
        assert progress.telemetry.heartbeat(1, []).subscriptions == 0
        subscribe(progress)
    with on_disk(tmp_path) as progress:
        assert progress.telemetry.heartbeat(1, []).subscriptions == 0


def test_who_opens_a_name_again_takes_it_over(tmp_path: Path) -> None:
    with on_disk(tmp_path) as progress:
        old = subscribe(progress, "audit")
        id_ = progress.workbook.update(step())
        assert ids(old.recv(9)) == [id_]
        new = subscribe(progress, "audit")
        with pytest.raises(wit.ErrorException, match="another holder has taken over subscription audit") as caught:
            old.ack(id_)
        assert kind_of(caught) is wit.ErrorKind.CANCELLED
        assert (ids(old.recv(9)), old.ready(), old.redeliver()) == ([], 0, 0)
        old.close()
        assert ids(new.recv(9)) == [id_]


def test_a_name_can_be_given_up(tmp_path: Path) -> None:
    with on_disk(tmp_path) as progress:
        subscribe(progress, "audit", capacity=1)
        progress.workbook.update(step())
        with pytest.raises(wit.ErrorException, match="subscription audit holds 1 updates already"):
            progress.workbook.update(step())
        assert progress.events.forget("audit")
        assert not progress.events.forget("audit")
        progress.workbook.update(step())


def test_wakeful_names_each_ready_subscription_once() -> None:
    with Progress() as progress, subscribe(progress) as one, subscribe(progress) as two:
        assert progress.events.wakeful(9) == []
        progress.workbook.update(step())
        progress.workbook.update(step())
        assert progress.events.wakeful(1) == [one.token()]
        assert progress.events.wakeful(9) == [two.token()]
        assert progress.events.wakeful(9) == []
        one.recv(9)
        progress.workbook.update(step())
        assert progress.events.wakeful(9) == [one.token()]
        one.recv(9)
        assert one.redeliver() == 3
        assert progress.events.wakeful(9) == [one.token()]


def test_a_subscription_emptied_before_it_was_named_is_named_once() -> None:
    with Progress() as progress, subscribe(progress) as one:
        progress.workbook.update(step())
        one.recv(9)
        progress.workbook.update(step())
        assert progress.events.wakeful(9) == [one.token()]
        assert progress.events.wakeful(9) == []


# Batches


def test_posted_steps_are_stored_in_their_order_and_before_what_is_asked_later(tmp_path: Path) -> None:
    with on_disk(tmp_path, batch_seconds=0.1) as progress:
        subscription = subscribe(progress, capacity=1000)
        for n in range(250):
            progress.post(step(number("k", n), at=n))
        last = progress.workbook.update(step(at=999))
        batch = subscription.recv(1000)
        assert [update.timestamp for update in batch.updates] == [*range(250), 999]
        assert batch.updates[-1].id == last
        assert progress.workbook.get_section(SCOPE, "s")[0].value == wit.Value_Integer(249)


def test_posted_steps_reach_the_disk_by_themselves(tmp_path: Path) -> None:
    with on_disk(tmp_path) as progress, on_disk(tmp_path) as other:
        subscription = subscribe(other)
        progress.post(step())
        assert subscription.wait(20)
        assert len(subscription.recv(9).updates) == 1


def test_posted_steps_are_stored_when_progress_is_closed(tmp_path: Path) -> None:
    with on_disk(tmp_path, batch_seconds=0.1) as progress:
        for n in range(10):
            progress.post(step(number("k", n)))
    with on_disk(tmp_path) as progress:
        assert progress.workbook.get_section(SCOPE, "s")[0].value == wit.Value_Integer(9)


def test_a_wrong_step_is_refused_when_it_is_posted() -> None:
    with Progress() as progress:
        with pytest.raises(wit.ErrorException) as caught:
            progress.post(step(progress=2))
        assert kind_of(caught) is wit.ErrorKind.INVALID_ARGUMENT


def test_a_posted_step_for_which_there_is_no_room_is_counted_and_others_are_not_lost() -> None:
    with Progress() as progress:
        subscribe(progress, capacity=1, filter_=wit.Filter("bob", None, None, wit.Phases(0)))
        bob = wit.Scope("bob", "task", None)
        for scope in (bob, bob, SCOPE):
            progress.post(step(scope=scope))
        progress.sync()
        assert progress.refused == 1
        assert [update.scope.user for update in progress.latest()] == ["bob", "ada"]


def test_threads_share_progress(tmp_path: Path) -> None:
    with on_disk(tmp_path) as progress:
        subscription = subscribe(progress, capacity=1000)

        def work(who: str) -> None:
            for n in range(20):
                scope = wit.Scope(who, "task", None)
                (progress.post if n % 2 else progress.workbook.update)(step(number("k", n), scope=scope))

        threads = [threading.Thread(target=work, args=(f"user {n}",)) for n in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        updates = subscription.recv(1000).updates
        assert [update.id for update in updates] == list(range(1, 101))
        for n in range(5):
            scope = wit.Scope(f"user {n}", "task", None)
            assert progress.workbook.get_section(scope, "s")[0].value == wit.Value_Integer(19)


# Several processes

PUBLISH = """
import sys
from pathlib import Path
from runner.bindings import progress_client as wit
from runner.progress import Progress
from tests.runner.progress.support import number, options, step
progress = Progress(Path(sys.argv[1]))
if sys.argv[2] == "subscribe":
    progress.events.subscribe(options(capacity=1))
progress.workbook.update(step(number("k", 7)))
print("done", flush=True)
sys.stdin.read()
progress.close()
"""


def other_process(folder: Path, what: str = "publish") -> subprocess.Popen[str]:
    """A process that has published an update, and waits for its input to end."""
    command = [sys.executable, "-c", PUBLISH, str(folder / "progress.db"), what]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "done\n"
    return process


def end(process: subprocess.Popen[str], how: str = "close") -> None:
    if how == "kill":
        process.kill()
    process.communicate(timeout=60)


def test_an_update_of_another_process_wakes_and_is_received(tmp_path: Path) -> None:
    with on_disk(tmp_path) as progress, subscribe(progress) as subscription:
        end(other_process(tmp_path))
        assert progress.events.wakeful(9) == [subscription.token()]
        assert subscription.wait(0)
        (update,) = subscription.recv(9).updates
        assert update.changes == [number("k", 7)]


def test_what_a_killed_process_subscribed_to_holds_up_nobody(tmp_path: Path) -> None:
    with on_disk(tmp_path) as progress:
        process = other_process(tmp_path, "subscribe")
        with pytest.raises(wit.ErrorException) as caught:
            progress.workbook.update(step())
        assert kind_of(caught) is wit.ErrorKind.EXHAUSTED
        end(process, "kill")
        progress.workbook.update(step())
        assert progress.telemetry.heartbeat(1, []).subscriptions == 0


# Switches


def test_without_the_bus_there_are_ids_and_no_subscriptions(tmp_path: Path) -> None:
    with on_disk(tmp_path) as progress:
        before = progress.workbook.update(step())
    with on_disk(tmp_path, progress_bus=False) as progress:
        assert progress.workbook.update(step(number("k", 1))) == before + 1
        assert progress.workbook.get_section(SCOPE, "s")[0].value == wit.Value_Integer(1)
        assert [update.id for update in progress.latest()] == [before]
        with pytest.raises(wit.ErrorException, match="progress_bus is off") as caught:
            progress.events.subscription.open(options())
        assert kind_of(caught) is wit.ErrorKind.PERMANENT
    with on_disk(tmp_path) as progress:
        assert progress.workbook.update(step()) == before + 2


def test_the_dense_store_forgets_values_with_its_process_and_no_update(tmp_path: Path) -> None:
    with on_disk(tmp_path, sparse_store=False) as progress:
        subscribe(progress, "audit")
        id_ = progress.workbook.update(step(number("k", 1)))
    with on_disk(tmp_path, sparse_store=False) as progress:
        with pytest.raises(wit.ErrorException):
            progress.workbook.get_status(SCOPE)
        assert ids(subscribe(progress, "audit").recv(9)) == [id_]


# Storage


def test_updates_that_nobody_waits_for_go_but_for_the_last_ones(tmp_path: Path) -> None:
    with on_disk(tmp_path, history=10) as progress:
        subscription = subscribe(progress, "slow", filter_=wit.Filter("bob", None, None, wit.Phases(0)))
        waited = progress.workbook.update(step(scope=wit.Scope("bob", "task", None)))
        for n in range(600):
            progress.post(step(at=n))
        progress.sync()
        kept = [update.id for update in progress.latest(most=1000)]
        assert kept[0] == waited
        assert kept[-1] == 601
        assert len(kept) < 300
        assert ids(subscription.recv(9)) == [waited]


def test_a_disk_that_refuses_is_an_error_of_the_contract_and_changes_nothing(tmp_path: Path) -> None:
    for sparse in (True, False):
        folder = tmp_path / str(sparse)
        folder.mkdir()
        with on_disk(folder, sparse_store=sparse) as progress:
            progress.workbook.update(step(number("k", 1)))
            (pages,) = progress.database.run("PRAGMA page_count").fetchone()
            progress.database.run(f"PRAGMA max_page_count = {pages}")
            long = wit.FieldChange("s", "k", wit.Value_Text("x" * 100_000))
            with pytest.raises(
                wit.ErrorException, match="progress can't be stored: database or disk is full"
            ) as caught:
                progress.workbook.update(step(long, progress=1.0))
            assert kind_of(caught) is wit.ErrorKind.TRANSIENT
            progress.database.run("PRAGMA max_page_count = 1000000")
            status = progress.workbook.get_status(SCOPE)
            assert (status.progress, [entry.value for entry in status.entries]) == (0.0, [wit.Value_Integer(1)])
            assert progress.workbook.update(step()) == 2


def test_posted_steps_wait_for_a_disk_that_refuses_and_the_log_says_so_once(tmp_path: Path) -> None:
    stored = threading.Event()
    with capture_logs() as logs, on_disk(tmp_path, on_stored=lambda seconds: stored.set()) as progress:
        progress.workbook.update(step())
        with progress.database.lock:
            (pages,) = progress.database.run("PRAGMA page_count").fetchone()
            progress.database.run(f"PRAGMA max_page_count = {pages}")
        for at in range(3):
            progress.post(step(wit.FieldChange("s", "k", wit.Value_Text("x" * 50_000)), at=at + 1))
        # Long enough for several attempts.
        assert not stored.wait(0.5)
        with progress.database.lock:
            progress.database.run("PRAGMA max_page_count = 1000000")
        assert stored.wait(30)
        assert len(progress.latest()) == 4
    told = [(entry["log_level"], entry["event"], entry.get("problem")) for entry in logs]
    assert told == [
        ("error", "progress can't be stored; it is tried again", "database or disk is full"),
        ("info", "progress is stored again", None),
    ]


@pytest.mark.parametrize("content", [b"this is no database at all, but long enough to have a header" * 20])
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "progress.db").write_bytes(content)
    with pytest.raises(StoreError, match=r"progress\.db: file is not a database"):
        on_disk(tmp_path)


def test_a_file_of_another_layout_is_refused(tmp_path: Path) -> None:
    with on_disk(tmp_path):
        pass
    with sqlite3.connect(tmp_path / "progress.db") as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="is of layout 99"):
        on_disk(tmp_path)


def test_transactions_on_the_disk_are_synchronous(tmp_path: Path) -> None:
    database = Database(tmp_path / "x.db")
    assert database.run("PRAGMA synchronous").fetchone() == (2,)
    assert database.run("PRAGMA journal_mode").fetchone() == ("wal",)
    database.close()


def test_a_section_is_found_by_its_keys_alone(tmp_path: Path) -> None:
    with on_disk(tmp_path) as progress:
        plan = progress.database.run(
            "EXPLAIN QUERY PLAN SELECT key FROM cell WHERE tenant = '' AND key >= 'a' AND key < 'b' ORDER BY key"
        ).fetchall()
        assert [row[-1] for row in plan] == ["SEARCH cell USING PRIMARY KEY (tenant=? AND key>? AND key<?)"]


def test_what_was_delivered_is_measured() -> None:
    seen = list[float]()
    with Progress(on_delivery=seen.append) as progress, subscribe(progress, filter_=ALL) as subscription:
        progress.workbook.update(step())
        subscription.recv(9)
    assert len(seen) == 1
    assert seen[0] >= 0


def test_figures_count_what_happened_and_carry_the_flags() -> None:
    with Progress() as progress, subscribe(progress) as subscription:
        id_ = progress.workbook.update(step())
        subscription.recv(9)
        subscription.ack(id_)
        progress.telemetry.heartbeat(1, ["runner.progress_bus"])
        metrics = {metric.name: metric for metric in progress.telemetry.flush_metrics()}
        for name in ("published", "delivered", "acknowledged"):
            assert metrics[f"progress_updates_{name}_total"].value == 1
        assert metrics["progress_scopes"].labels == [("flag_runner_progress_bus", "on")]
        again = [m.value for m in progress.telemetry.flush_metrics() if m.kind is wit.MetricKind.COUNTER]
        assert not any(again)


def test_files_of_sessions_go_with_their_processes(tmp_path: Path) -> None:
    with on_disk(tmp_path):
        end(other_process(tmp_path), "kill")
        assert len(list((tmp_path / "progress.db-sessions").iterdir())) == 2
    with on_disk(tmp_path):
        assert len(list((tmp_path / "progress.db-sessions").iterdir())) == 1


# Clients


def test_clients_share_the_bus_and_hear_of_their_own_subscriptions_alone() -> None:
    with Progress() as progress:
        one, two = progress.client(), progress.client()
        mine, theirs = (client.events.subscription.open(options()) for client in (one, two))
        one.workbook.update(step())
        assert one.events.wakeful(9) == [mine.token()]
        assert two.events.wakeful(9) == [theirs.token()]
        assert progress.events.wakeful(9) == []
        assert mine.recv(9) == theirs.recv(9)


def test_a_client_that_flushes_figures_takes_none_from_another() -> None:
    with Progress() as progress:
        one, two = progress.client(), progress.client()
        for client in (one, two):
            client.workbook.update(step())
        for client, wanted in ((one, 2), (two, 2), (one, 0)):
            published, *_ = client.telemetry.flush_metrics()
            assert published.value == wanted


def test_what_a_client_had_subscribed_to_ends_with_it() -> None:
    with Progress() as progress:
        client = progress.client()
        client.events.subscribe(options(capacity=1))
        client.events.subscribe(options(), "audit")
        progress.workbook.update(step())
        client.close()
        progress.workbook.update(step())
        assert progress.telemetry.heartbeat(1, []).subscriptions == 1
        assert len(subscribe(progress, "audit").recv(9).updates) == 2


def test_a_name_that_another_client_takes_over_wakes_that_one() -> None:
    with Progress() as progress:
        one, two = progress.client(), progress.client()
        one.events.subscribe(options(), "audit")
        two.events.subscribe(options(), "audit")
        progress.workbook.update(step())
        assert one.events.wakeful(9) == []
        assert len(two.events.wakeful(9)) == 1


# What it holds


@pytest.mark.parametrize("sparse", [True, False])
def test_what_the_workbook_holds_grows_with_it_and_not_with_what_is_announced(tmp_path: Path, sparse: bool) -> None:
    with on_disk(tmp_path, sparse_store=sparse) as progress:
        empty = progress.memory()
        for scope in range(200):
            progress.post(step(number("a", 1), scope=wit.Scope(f"user {scope}", "task", None)))
        filled = progress.memory()
        assert filled > empty + 200 * 20
        for at in range(1000):
            progress.post(step(number("a", at % 2), scope=wit.Scope("user 1", "task", None), at=at + 1))
        assert progress.memory() < filled + (filled - empty) // 4


def test_a_field_that_one_scope_has_costs_all_others_in_the_dense_store_alone(tmp_path: Path) -> None:
    grown = {}
    for sparse in (True, False):
        folder = tmp_path / str(sparse)
        folder.mkdir()
        with on_disk(folder, sparse_store=sparse) as progress:
            for scope in range(500):
                progress.post(step(number("a", 1), scope=wit.Scope(f"user {scope}", "task", None)))
            before = progress.memory()
            progress.post(step(*(number(f"rare {n}", n) for n in range(20)), scope=wit.Scope("user 0", "task", None)))
            grown[sparse] = progress.memory() - before
    assert grown[True] < 20_000 < 500 * 20 * 40 < grown[False]


def test_a_checkpoint_of_the_dense_store_holds_a_copy_of_the_names_and_shares_the_values(tmp_path: Path) -> None:
    with on_disk(tmp_path, sparse_store=False) as progress:
        progress.workbook.update(step(wit.FieldChange("s", "text", wit.Value_Text("x" * 100_000))))
        before = progress.memory()
        progress.workbook.checkpoint(SCOPE, "one")
        assert before > 100_000
        assert 100 < progress.memory() - before < 10_000
        progress.workbook.update(step(wit.FieldChange("s", "text", wit.Value_Text("y" * 100_000)), at=2))
        assert progress.memory() > before + 100_000


def test_what_a_step_that_failed_would_have_taken_is_not_held(tmp_path: Path) -> None:
    with on_disk(tmp_path, sparse_store=False) as progress, subscribe(progress, capacity=1):
        progress.workbook.update(step(number("a", 1)))
        before = progress.memory()
        with pytest.raises(wit.ErrorException):
            progress.workbook.update(step(number("b", 1), at=2))
        assert progress.memory() == before
