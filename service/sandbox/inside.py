"""What runs inside a sandbox: it answers questions about one draft until nobody asks any more."""

from __future__ import annotations

import logging
import resource
import shutil
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import orjson

from service import engine, errors

Answer = dict[str, Any]

FORBIDDEN = frozenset(
    {"socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo", "subprocess.Popen", "os.system"}
    | {"os.exec", "os.posix_spawn", "os.fork", "os.forkpty", "smtplib.connect", "ftplib.connect", "urllib.Request"}
)


def main() -> None:
    """Serve the pipe whose number is the first argument."""
    pipe = Connection(int(sys.argv[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    logging.disable(logging.CRITICAL)
    desk = Desk(Path.cwd() / "bundle")
    # Loaded are all parts that open something on their own; from here on nothing gets out.
    sys.addaudithook(_guard)
    try:
        while True:
            question = orjson.loads(pipe.recv_bytes())
            for answer in _answers(desk, question):
                pipe.send_bytes(orjson.dumps(answer, default=str, option=orjson.OPT_NON_STR_KEYS))
    except (EOFError, OSError):
        # Whoever asked is gone, perhaps by a crash: nobody else clears up.
        return
    finally:
        shutil.rmtree(Path.cwd(), ignore_errors=True)


def _guard(event: str, _arguments: Any) -> None:
    if event in FORBIDDEN:
        raise PermissionError(f"试运行中不得对外连接。 Nothing leaves a try-out ({event}).")


def _answers(desk: Desk, question: Mapping[str, Any]) -> Iterator[Answer]:
    """The answers to a question; every one but the last says that there are more."""
    try:
        yield from desk.answer(question)
    except engine.BundleRejected as rejected:
        wrong = [one for one in rejected.findings if one.severity == "error"]
        first = wrong[0] if wrong else None
        yield {
            "error": {
                "code": "rejected",
                "zh": f"草稿有 {len(wrong)} 个错误，须先解决：{first.zh if first else ''}",
                "en": f"The draft has {len(wrong)} errors: {first.en if first else ''}",
                "findings": [
                    {"file": one.file, "element": one.element_id, "zh": one.zh, "en": one.en} for one in wrong
                ],
            }
        }
    except errors.ServiceError as error:
        yield {"error": {"zh": error.zh, "en": error.en, "code": error.code, "status": error.status}}
    except Exception as error:
        traceback.print_exc()
        sys.stderr.flush()
        yield {"error": {"zh": f"试运行出错：{error}", "en": f"The try-out failed: {error}", "code": "sandbox"}}


class Desk:
    """Holds the draft's files, its stage, and one rehearsal."""

    def __init__(self, folder: Path) -> None:
        from service import scenarios

        self.folder, self.scenarios = folder, scenarios
        self._stage: scenarios.Stage | None = None
        self.rehearsal: scenarios.Rehearsal | None = None
        self.verbs: dict[str, Callable[[Mapping[str, Any]], Iterator[Answer]]] = {
            "open": self.open,
            "step": self.step,
            "back": self.back,
            "look": self.look,
            "form": self.form,
            "read": self.read,
            "build": self.build,
            "run": self.run,
            "cover": self.cover,
            "example": self.example,
        }

    def answer(self, question: Mapping[str, Any]) -> Iterator[Answer]:
        """Find who answers."""
        return self.verbs[str(question["verb"])](question)

    @property
    def stage(self) -> Any:
        """The stage, built when it is first needed. Raises BundleRejected."""
        if self._stage is None:
            content = {
                path.relative_to(self.folder).as_posix(): path.read_bytes()
                for path in sorted(self.folder.rglob("*"))
                if path.is_file()
            }
            calendar = orjson.loads((self.folder.parent / "calendar.json").read_bytes())
            self._stage = self.scenarios.Stage(content, calendar=calendar, within=self.folder.parent)
        return self._stage

    def open(self, question: Mapping[str, Any]) -> Iterator[Answer]:
        """Begin a rehearsal with the steps played so far."""
        if self.rehearsal is not None:
            self.rehearsal.close()
        self.rehearsal = self.scenarios.Rehearsal(self.stage, question["head"], question["steps"])
        yield self.rehearsal.look()

    def step(self, question: Mapping[str, Any]) -> Iterator[Answer]:
        """Play one more step."""
        assert self.rehearsal is not None
        yield self.rehearsal.step(question["step"])

    def back(self, question: Mapping[str, Any]) -> Iterator[Answer]:
        """Take steps back."""
        assert self.rehearsal is not None
        self.rehearsal.back(int(question["to"]))
        yield self.rehearsal.look()

    def look(self, _question: Mapping[str, Any]) -> Iterator[Answer]:
        """Say how it stands."""
        assert self.rehearsal is not None
        yield self.rehearsal.look()

    def form(self, question: Mapping[str, Any]) -> Iterator[Answer]:
        """Give a form."""
        assert self.rehearsal is not None
        yield {"form": self.rehearsal.form(question["wanted"])}

    def example(self, question: Mapping[str, Any]) -> Iterator[Answer]:
        """Say what happened, in the words of an expectation."""
        assert self.rehearsal is not None
        yield {"expect": self.rehearsal.example(question["keys"], question.get("like") or {})}

    def read(self, question: Mapping[str, Any]) -> Iterator[Answer]:
        """Read a scenario file, with its parts, as the head and steps of a rehearsal."""
        try:
            yield self.scenarios.as_rehearsal(self._file(question), within=self.folder)
        except self.scenarios.WrongScenario as wrong:
            raise errors.InvalidInput(str(wrong), str(wrong)) from None

    def build(self, _question: Mapping[str, Any]) -> Iterator[Answer]:
        """Build the stage."""
        yield {"hash": self.stage.bundle.hash}

    def run(self, question: Mapping[str, Any]) -> Iterator[Answer]:
        """Play scenario files one after another."""
        paths = list(question["paths"])
        for number, path in enumerate(paths, 1):
            outcome = self.scenarios.play(self.stage, self._file({"path": path}), within=self.folder)
            more = {"more": number < len(paths), "flows": sorted(outcome.flows), "touched": outcome.touched()}
            yield {"path": path, **outcome.summary(), **more}

    def cover(self, question: Mapping[str, Any]) -> Iterator[Answer]:
        """Say what scenarios have covered together."""
        coverage = self.scenarios.Coverage(self.stage.bundle, [])
        for touched in question["touched"]:
            coverage.add(touched)
        yield {"coverage": coverage.summary()}

    def _file(self, question: Mapping[str, Any]) -> Path:
        file = (self.folder / str(question["path"])).resolve()
        if not file.is_relative_to(self.folder.resolve()):
            raise errors.NotFound("没有这个场景。", "There is no such scenario.")
        return file


if __name__ == "__main__":
    main()
