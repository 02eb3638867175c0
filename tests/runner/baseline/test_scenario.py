"""The file of a scenario: what it says, and where it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from runner.baseline.scenario import FtpAction, HttpAction, Scenario, Work, loads, parse, shipped
from runner.baseline.scenario import load as load_scenario

from witgen.diagnostics import Source, WitError

PLAIN = '[[http]]\nshare = 1\npath = "/"\n'


def test_the_scenario_that_comes_with_the_runner_has_500_users_for_five_minutes() -> None:
    found = load_scenario(shipped())
    assert (found.users, found.measure, found.seed) == (500, 300, 1)
    assert {action.method for action in found.http} == {"GET", "POST"}
    assert {step for action in found.ftp for step in action.steps} == {"list", "retr", "stor"}
    assert any(action.reports for action in found.http)


def test_everything_can_be_said() -> None:
    text = """
        users = 3
        seed = 7
        warm-up = 0.5
        measure = 2
        think = 0
        [work]
        tasks = 1
        fields = 5
        own = 4
        changes = 2
        [[http]]
        share = 1.5
        method = "PUT"
        path = "/{user}/{task}"
        size = 10
        reports = true
        [[ftp]]
        share = 2
        steps = ["stor", "retr"]
        size = 7
    """
    assert parse(Source("s.toml", text)) == Scenario(
        http=[HttpAction(1.5, "/{user}/{task}", "PUT", 10, True)],
        ftp=[FtpAction(2, ("stor", "retr"), 7)],
        users=3,
        seed=7,
        warm_up=0.5,
        measure=2,
        think=0,
        work=Work(1, 5, 4, 2),
    )


def test_a_scenario_goes_to_another_process_as_it_is() -> None:
    found = load_scenario(shipped())
    assert loads(found.dumps()) == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("users = 0\n" + PLAIN, "s.toml:1:1: error: `users` must be a whole number from 1 to 100000"),
        ("users = true\n" + PLAIN, "s.toml:1:1: error: `users` must be a whole number"),
        ("users = 1.5\n" + PLAIN, "s.toml:1:1: error: `users` must be a whole number"),
        ("seed = 1\nthink = -1\n" + PLAIN, "s.toml:2:1: error: `think` must be a number from 0 to 3600"),
        ("measure = nan\n" + PLAIN, "s.toml:1:1: error: `measure` must be"),
        ("user = 1\n" + PLAIN, "s.toml:1:1: error: unknown key 'user'; there are"),
        ("warm_up = 1\n" + PLAIN, "s.toml:1:1: error: unknown key 'warm_up'; there are"),
        ("work = 1\n" + PLAIN, "s.toml:1:1: error: `work` must be a table"),
        (PLAIN + "[work]\nown = 300\n", "s.toml:4:2: error: a task can't have more fields than there are"),
        (PLAIN + "[work]\nrows = 3\n", "s.toml:5:1: error: unknown key 'rows'"),
        ("http = 3\n", "s.toml:1:1: error: `http` must be tables of the form [[http]]"),
        ('[[http]]\npath = "/"\n', "s.toml:1:3: error: a [[http]] needs a share"),
        ("[[http]]\nshare = 1\n", 's.toml:1:3: error: an [[http]] needs a path such as "/"'),
        ('[[http]]\nshare = 1\npath = "x y"\n', "s.toml:3:1: error: an [[http]] needs a path"),
        (PLAIN + 'method = "get"\n', "s.toml:4:1: error: 'get' is no method; there are DELETE, GET"),
        (PLAIN + "size = 100_000_000\n", "s.toml:4:1: error: `size` must be a whole number from 0 to"),
        (PLAIN + "reports = 1\n", "s.toml:4:1: error: `reports` must be true or false"),
        (PLAIN + '[[ftp]]\nshare = 1\nsteps = ["dele"]\n', "s.toml:6:1: error: `steps` must be a list of list, retr"),
        (PLAIN + "[[ftp]]\nshare = 1\nsteps = []\n", "s.toml:6:1: error: `steps` must be a list"),
        ("users = 5\n", "s.toml: error: users do nothing"),
        ('[[http]]\nshare = 0\npath = "/"\n', "s.toml: error: users do nothing"),
        ("users = \n", "s.toml:1:9: error: invalid value"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(text: str, message: str) -> None:
    with pytest.raises(WitError) as caught:
        parse(Source("s.toml", text))
    assert message in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WitError, match=r"nowhere\.toml: error: can't be read"):
        load_scenario(tmp_path / "nowhere.toml")
