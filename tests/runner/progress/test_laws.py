"""Progress on the disk, in memory and in the component are one thing: the same calls, the same answers.

The component is the model: an implementation of the same contract in another language, by other means. The one on the
disk is closed and opened again in between. What is drawn is narrow, so that calls meet each other's traces.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from runner.bindings import progress_client as wit
from runner.bindings import progress_runner as other
from runner.progress import Progress, Subscription

from tests.runner.conftest import PREBUILT
from tests.runner.progress.support import ALL, SCOPE, across
from witgen import runtime as rt

TIMES = st.integers(0, (1 << 64) - 1)
PHASES = st.sampled_from(wit.Phase)
FAILURES = st.none() | st.sampled_from(wit.ErrorKind)
#: Two sections of which one begins with the other's name, and two fields.
FIELDS = st.tuples(st.sampled_from(["s", "st"]), st.sampled_from(["k", "l"]))
CHANGES = st.builds(
    lambda field, value: wit.FieldChange(field[0], field[1], value),
    FIELDS,
    st.none() | st.builds(wit.Value_Integer, st.integers(0, 2)),
)
SCOPES = st.sampled_from([SCOPE, SCOPE, wit.Scope("ada", "task", "acme")])
STEPS = st.builds(
    wit.Step, SCOPES, st.none() | PHASES, st.none() | st.floats(0, 1), TIMES, st.lists(CHANGES, max_size=3), FAILURES
)
NAMES = st.sampled_from(["one", "two", "three"])

ANY_WORD = st.text(st.characters(codec="utf-8"), max_size=3) | st.sampled_from(["", "a\x1fb", "\x00", "\x20", "🎉"])
ANY_VALUE = st.one_of(
    st.builds(wit.Value_Text, st.text(st.characters(codec="utf-8"), max_size=5)),
    st.builds(wit.Value_Integer, st.integers(-(1 << 63), (1 << 63) - 1)),
    st.builds(wit.Value_Real, st.floats()),
    st.builds(wit.Value_Real, st.sampled_from([0.0, -0.0, float("inf")])),
    st.builds(wit.Value_Boolean, st.booleans()),
)
ANY_STEP = st.builds(
    wit.Step,
    st.builds(wit.Scope, ANY_WORD, ANY_WORD, st.none() | ANY_WORD),
    st.none() | PHASES,
    st.none() | st.floats(),
    TIMES,
    st.lists(st.builds(wit.FieldChange, ANY_WORD, ANY_WORD, st.none() | ANY_VALUE), max_size=4),
    FAILURES,
)


def outcome(call: Callable[..., Any], *args: Any) -> Any:
    """What a call gives, or the kind of its error."""
    try:
        return call(*args)
    except (wit.ErrorException, other.ErrorException) as error:
        return error.value.kind.name


class Three:
    """The component, one on the disk, and a dense one in memory."""

    component: ClassVar[rt.Component] = rt.Component.from_file(PREBUILT)

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.model = other.ProgressRunner(self.component)
        self.disk = Progress(self.folder / "p.db")
        self.memory = Progress(sparse_store=False)

    def close(self) -> None:
        self.disk.close()
        self.memory.close()
        shutil.rmtree(self.folder)

    def open_again(self) -> None:
        self.disk.close()
        self.disk = Progress(self.folder / "p.db")

    def same(self, place: str, *args: Any) -> Any:
        """Makes a call on all of them, compares, and gives what it gave."""
        interface, name = place.split(".")
        wanted = outcome(getattr(getattr(self.model, interface), name), *across(list(args)))
        for progress in (self.disk, self.memory):
            found = outcome(getattr(getattr(progress, interface), name), *args)
            assert across(found) == wanted, f"{place}: {found}, and not {wanted}"
        return wanted


class Workbooks(RuleBasedStateMachine):
    """Steps, checkpoints and flushes."""

    def __init__(self) -> None:
        super().__init__()
        self.three = Three()

    def teardown(self) -> None:
        self.three.close()

    @initialize()
    def begin(self) -> None:
        self.three.same("workbook.update", wit.Step(SCOPE, None, None, 1, [], None))

    @rule(step=STEPS)
    def update(self, step: wit.Step) -> None:
        self.three.same("workbook.update", step)

    @rule(step=STEPS)
    def post(self, step: wit.Step) -> None:
        self.three.model.workbook.update(across(step))
        self.three.disk.post(step)
        self.three.memory.post(step)

    @rule(name=NAMES)
    def checkpoint(self, name: str) -> None:
        self.three.same("workbook.checkpoint", SCOPE, name)

    @rule(name=NAMES, changes=st.lists(CHANGES, min_size=1, max_size=3))
    def checkpoint_and_go_on(self, name: str, changes: list[wit.FieldChange]) -> None:
        self.three.same("workbook.checkpoint", SCOPE, name)
        self.three.same("workbook.update", wit.Step(SCOPE, None, None, 1, changes, None))

    @rule(name=NAMES, at=TIMES)
    def rollback(self, name: str, at: int) -> None:
        self.three.same("workbook.rollback", SCOPE, name, at)

    @rule(scope=SCOPES, most=st.integers(0, 3))
    def flush(self, scope: wit.Scope, most: int) -> None:
        self.three.same("workbook.flush", scope, most)

    @rule(scope=SCOPES, section=st.sampled_from(["s", "st", "t"]))
    def section(self, scope: wit.Scope, section: str) -> None:
        self.three.same("workbook.get_section", scope, section)

    @rule(changes=st.lists(CHANGES, max_size=3), at=TIMES)
    def edit(self, changes: list[wit.FieldChange], at: int) -> None:
        found = []
        all_: list[tuple[Any, Any]] = [(self.three.model, other), (self.three.disk, wit), (self.three.memory, wit)]
        for progress, module in all_:
            edit = progress.workbook.edit(across(SCOPE, module))
            for item in changes:
                if item.value is None:
                    edit.clear(item.section, item.key)
                else:
                    edit.set(item.section, item.key, across(item.value, module))
            found.append((edit.pending(), progress.workbook.edit.commit(edit, at)))
        assert found[0] == found[1] == found[2]

    @rule()
    def open_again(self) -> None:
        self.three.open_again()

    @invariant()
    def everything_stands_the_same(self) -> None:
        for tenant in (None, "acme"):
            self.three.same("workbook.get_status", wit.Scope("ada", "task", tenant))


class Buses(RuleBasedStateMachine):
    """Two subscriptions, one of all and one of a part, and what is published."""

    def __init__(self) -> None:
        super().__init__()
        self.three = Three()
        self.subscriptions: list[tuple[other.Subscription, Subscription, Subscription]] = []
        self.options: list[wit.SubscriptionOptions] = []

    def teardown(self) -> None:
        self.three.close()

    @initialize(capacity=st.integers(2, 4), overflows=st.tuples(*[st.sampled_from(wit.Overflow)] * 2))
    def begin(self, capacity: int, overflows: tuple[wit.Overflow, wit.Overflow]) -> None:
        part = wit.Filter(None, None, "acme", wit.Phases.PLANNING | wit.Phases.CLOSING)
        for number, (filter_, overflow) in enumerate(zip((ALL, part), overflows, strict=True)):
            options = wit.SubscriptionOptions(filter_, capacity, overflow)
            self.options.append(options)
            self.subscriptions.append(
                (
                    self.three.model.events.subscription.open(across(options)),
                    self.three.disk.events.subscribe(options, f"subscriber {number}"),
                    self.three.memory.events.subscribe(options),
                )
            )

    @rule(scope=SCOPES, phase=PHASES, progress=st.sampled_from([0.0, 0.5, 1.0, 1.5]), at=TIMES, failure=FAILURES)
    def publish(
        self, scope: wit.Scope, phase: wit.Phase, progress: float, at: int, failure: wit.ErrorKind | None
    ) -> None:
        update = wit.ProgressUpdate(99, scope, phase, progress, at, [wit.FieldChange("s", "k", None)], failure)
        self.three.same("events.publish", update)

    @rule(step=STEPS)
    def update(self, step: wit.Step) -> None:
        self.three.same("workbook.update", step)

    def each(self, which: int, name: str, *args: Any) -> Any:
        wanted, *rest = (outcome(getattr(item, name), *args) for item in self.subscriptions[which])
        for found in rest:
            assert across(found) == wanted
        return wanted

    @rule(which=st.integers(0, 1), most=st.integers(0, 3))
    def recv(self, which: int, most: int) -> None:
        self.each(which, "recv", most)

    @rule(which=st.integers(0, 1), back=st.integers(-1, 2))
    def ack(self, which: int, back: int) -> None:
        last = self.three.model.telemetry.heartbeat(1, []).last_update
        self.each(which, "ack", max(last - back, 0))

    @rule(which=st.integers(0, 1))
    def redeliver(self, which: int) -> None:
        self.each(which, "redeliver")

    @rule()
    def open_again(self) -> None:
        """What is on the disk goes on where it was; what was not acknowledged comes again."""
        self.three.open_again()
        for number, (first, _, third) in enumerate(self.subscriptions):
            again = self.three.disk.events.subscribe(self.options[number], f"subscriber {number}")
            first.redeliver()
            third.redeliver()
            self.subscriptions[number] = first, again, third

    @invariant()
    def queues_hold_the_same(self) -> None:
        for number in range(len(self.subscriptions)):
            self.each(number, "ready")
        all_: list[Any] = [self.three.model, self.three.disk, self.three.memory]
        found = [progress.telemetry.heartbeat(1, []) for progress in all_]
        assert len({(pulse.scopes, pulse.subscriptions, pulse.queued, pulse.last_update) for pulse in found}) == 1


def test_workbooks_give_the_same_answers() -> None:
    run_state_machine_as_test(Workbooks, settings=settings(max_examples=150, stateful_step_count=25, deadline=None))


def test_buses_give_the_same_answers() -> None:
    run_state_machine_as_test(Buses, settings=settings(max_examples=50, stateful_step_count=25, deadline=None))


@settings(max_examples=80)
@given(step=ANY_STEP)
def test_any_step_has_the_same_outcome_and_is_kept_as_it_is(step: wit.Step) -> None:
    three = Three()
    try:
        three.same("workbook.update", step)
        three.open_again()
        status = three.same("workbook.get_status", step.scope)
        found = outcome(three.disk.workbook.get_status, step.scope)
        # As text, which tells -0.0 from 0.
        assert str(across(found)) == str(status) or step.progress == 0
        for section in {change.section for change in step.changes}:
            three.same("workbook.get_section", step.scope, section)
    finally:
        three.close()
