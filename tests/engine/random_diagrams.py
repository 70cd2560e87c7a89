"""Random block-structured diagrams: sequences, choices, splits, loops, sub-processes, timers at the edge.

Every choice is made by the user task before it, so that a run is a list of decisions and can be repeated.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st

from .diagrams import process, user

BLOCK = st.deferred(
    lambda: st.one_of(
        st.just(("task",)),
        st.tuples(st.just("sequence"), BLOCK, BLOCK),
        st.tuples(st.sampled_from(["xor", "and", "or"]), BLOCK, BLOCK),
        st.tuples(st.just("loop"), BLOCK),
        st.tuples(st.just("sub"), BLOCK),
        st.tuples(st.just("timer"), BLOCK),
        st.tuples(st.just("rounds")),
    )
)


@dataclass
class Drawing:
    """Collects elements and arrows; ``draw`` returns the first and last node of a block."""

    elements: list[str] = field(default_factory=list)
    arrows: list[str] = field(default_factory=list)
    count: int = 0

    def new(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def task(self, inner: str = "") -> str:
        name = self.new("t")
        self.elements.append(user(name, "", inner))
        return name

    def gateway(self, kind: str, default: str | None = None) -> str:
        name = self.new("g")
        more = f' default="{name}_{default}"' if default else ""
        self.elements.append(f'<{kind}Gateway id="{name}"{more}/>')
        return name

    def draw(self, block: tuple) -> tuple[str, str]:
        kind = block[0]
        return getattr(self, f"draw_{kind}" if kind not in ("xor", "and", "or") else "draw_split")(block)

    def draw_task(self, block: tuple) -> tuple[str, str]:
        name = self.task()
        return name, name

    def draw_sequence(self, block: tuple) -> tuple[str, str]:
        (first, a), (b, last) = self.draw(block[1]), self.draw(block[2])
        self.arrows.append(f"{a} -> {b}")
        return first, last

    def draw_split(self, block: tuple) -> tuple[str, str]:
        ask = self.task()
        (a, a_end), (b, b_end) = self.draw(block[1]), self.draw(block[2])
        kind = {"xor": "exclusive", "and": "parallel", "or": "inclusive"}[block[0]]
        split = self.gateway(kind, None if block[0] == "and" else b)
        join = self.gateway(kind)
        if block[0] == "and":
            conditions = ("->", "->")
        elif block[0] == "xor":
            conditions = ("-[=choice > 0]->", "->")
        else:
            # "a" and "both"; nothing true takes the default
            conditions = ("-[=choice > 0]->", "->")
            extra, extra_end = self.draw(("task",))
            self.arrows += [f"{split} -[=choice > 1]-> {extra}", f"{extra_end} -> {join}"]
        self.arrows += [f"{ask} -> {split}", f"{split} {conditions[0]} {a}", f"{split} {conditions[1]} {b}"]
        self.arrows += [f"{a_end} -> {join}", f"{b_end} -> {join}"]
        return ask, join

    def draw_loop(self, block: tuple) -> tuple[str, str]:
        merge = self.gateway("exclusive")
        first, last = self.draw(block[1])
        ask, after = self.task(), self.task()
        again = self.gateway("exclusive", after)
        self.arrows += [f"{merge} -> {first}", f"{last} -> {ask} -> {again}", f"{again} -> {after}"]
        self.arrows.append(f"{again} -[=choice > 1]-> {merge}")
        return merge, after

    def draw_sub(self, block: tuple) -> tuple[str, str]:
        name = self.new("p")
        inner = Drawing(count=self.count * 100)
        first, last = inner.draw(block[1])
        start, end = f"{name}s", f"{name}e"
        inner.elements += [f'<startEvent id="{start}"/>', f'<endEvent id="{end}"/>']
        inner.arrows += [f"{start} -> {first}", f"{last} -> {end}"]
        self.elements.append(f'<subProcess id="{name}">{inner.xml()}</subProcess>')
        self.count = inner.count
        return name, name

    def draw_timer(self, block: tuple) -> tuple[str, str]:
        name, _ = self.draw_sub(block)
        event, join, late = self.new("b"), self.gateway("exclusive"), self.task()
        self.elements.append(
            f'<boundaryEvent id="{event}" attachedToRef="{name}"><timerEventDefinition>'
            "<timeDuration>PT1H</timeDuration></timerEventDefinition></boundaryEvent>"
        )
        self.arrows += [f"{name} -> {join}", f"{event} -> {late} -> {join}"]
        return name, join

    def draw_rounds(self, block: tuple) -> tuple[str, str]:
        name = self.task(
            '<multiInstanceLoopCharacteristics><extensionElements><zeebe:loopCharacteristics inputCollection="=items" '
            'inputElement="item" outputCollection="seen" outputElement="=item"/></extensionElements>'
            "</multiInstanceLoopCharacteristics>"
        )
        return name, name

    def xml(self) -> str:
        from .diagrams import flows

        return "".join(self.elements) + flows(";".join(self.arrows))


def diagram(block: tuple) -> bytes:
    drawing = Drawing()
    first, last = drawing.draw(block)
    drawing.elements += ['<startEvent id="s"/>', '<endEvent id="e"/>']
    drawing.arrows += [f"s -> {first}", f"{last} -> e"]
    return process(drawing.xml(), "")
