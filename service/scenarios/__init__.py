"""Scenarios: who does what with which data, what time passes, what has to come of it.

They play the real commands and jobs on a throw-away database, in a time of their own, as fast as the machine goes.
The format is described in docs/reference/scenarios.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from .coverage import Coverage
from .outcomes import Outcome
from .reading import Scenario, WrongScenario, find, read
from .rehearsing import Rehearsal, as_rehearsal
from .stages import Stage

__all__ = [
    "Coverage",
    "Outcome",
    "Rehearsal",
    "Scenario",
    "Stage",
    "WrongScenario",
    "as_rehearsal",
    "find",
    "play",
    "read",
    "run",
]


def play(stage: Stage, file: Path, *, within: Path | None = None) -> Outcome:
    """Read and play one scenario; a file that is none has an outcome, too."""
    try:
        scenario = read(file, within=within)
    except WrongScenario as error:
        return Outcome(file, file.stem, problems=[str(error)])
    return stage.play(scenario)


def run(
    paths: Iterable[Path],
    *,
    root: Path,
    say: Callable[[str], None] = print,
    verbose: bool = False,
    played: list[Outcome] | None = None,
) -> bool:
    """Play every scenario in files and folders; print what failed and which flows were covered.

    ``played`` is given the outcomes one by one, for a report in another form.
    """
    files = find(paths)
    if not files:
        say("没有找到情景文件（scenarios/*.yaml）。 No scenarios found (scenarios/*.yaml).")
        return False
    outcomes = played if played is not None else []
    with Stage(root) as stage:
        for file in files:
            try:
                scenario = read(file)
            except WrongScenario as error:
                outcomes.append(Outcome(file, file.stem, problems=[str(error)]))
                say(f"✗ {_short(file, root)}: {error}")
                continue
            outcome = stage.play(scenario, say=say if verbose else None)
            outcomes.append(outcome)
            say(f"{'✓' if outcome.ok else '✗'} {_short(file, root)}: {scenario.name} ({outcome.seconds:.2f} s)")
            for problem in outcome.problems:
                say(f"    {problem}")
        coverage = Coverage(stage.bundle, outcomes)
    for line in coverage.lines():
        say(line)
    failed = sum(not outcome.ok for outcome in outcomes)
    say(f"{len(outcomes)} 个情景，{failed} 个未通过。 {len(outcomes)} scenario(s), {failed} failed.")
    return not failed


def _short(file: Path, root: Path) -> str:
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else str(file)
