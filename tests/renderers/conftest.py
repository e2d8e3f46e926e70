"""Reports made by hand, one trait each, and the golden files that the renderers are held against."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from fxaudit.answer.answer import (
    Change,
    Event,
    Gradient,
    Holder,
    OptimizerReport,
    ParameterReport,
    RuleInfo,
    StepReport,
    SymbolicReport,
)
from fxaudit.answer.finding import Finding, PathStep, Related
from fxaudit.answer.picture_data import GraphData, GraphEdge, GraphModule, GraphNode
from fxaudit.program.source import Frame, SourceLine
from fxaudit.report import Report

GOLDEN = Path(__file__).parent / "golden"

DETACHED = RuleInfo(
    "FXA104",
    "detached-path",
    "error",
    "Every path from the parameter to the loss passes through a detached tensor.",
    "The forward reads the parameter, so nothing fails, but it receives no gradient.",
    "Delete the detach, or freeze the parameter with `requires_grad_(False)` if you meant it.",
)
EXCLUDED = RuleInfo("FXA301", "excluded", "error", "No optimizer holds it.", "It keeps its value.", "Add it.")
TEXT = (
    "    def forward(self, tokens, mask=None):",
    "        h = self.encoder(self.embed(tokens), mask)",
    "        h = self.norm(h).detach()",
    "        return self.head(h)",
    "",
)


def line(number: int = 31, columns: tuple[int, int] | None = (12, 33), file: str = "train.py") -> SourceLine:
    return SourceLine(
        file,
        number,
        "Model.forward",
        TEXT[2].strip(),
        (Frame(file, 58, "train_step"), Frame(file, 71, "main")),
        columns,
        tuple((number - 2 + index, text) for index, text in enumerate(TEXT)),
    )


def short_line(number: int, code: str, function: str = "main") -> SourceLine:
    return SourceLine("train.py", number, function, code, context=((number, f"    {code}"),))


def detach_path(start: str) -> tuple[PathStep, ...]:
    return (
        PathStep("optimizer", "AdamW group 0"),
        PathStep("parameter", start),
        *(PathStep("operation", name, "encoder", line(30, None)) for name in ("linear", "gelu", "linear", "add")),
        PathStep("operation", "layer_norm", "norm", line()),
        PathStep("cut", "detach", "", line()),
        PathStep("operation", "linear", "head", short_line(32, "return self.head(h)"), carries_gradient=False),
        PathStep("loss", "cross_entropy", "", short_line(60, "loss = F.cross_entropy(out, target)")),
    )


def parameter(name: str, verdict: str = "trained", **facts: object) -> ParameterReport:
    gradient = {"trained": "finite", "excluded": "finite", "blocked": "zero", "frozen": "none", "unreachable": "none"}
    values: dict[str, object] = {
        "reason": "A step changed it." if verdict == "trained" else f"It is {verdict}.",
        "shape": (8, 8),
        "numel": 64,
        "dtype": "float32",
        "held_by": () if verdict in ("excluded", "frozen") else (Holder("optimizer", 0),),
        "gradient": Gradient(gradient.get(verdict, "unknown"), 0.5 if verdict == "trained" else None),
        "change": Change("changed" if verdict == "trained" else "unchanged", 0.01 if verdict == "trained" else None),
        "reached_in": 3 if verdict == "trained" else 0,
        "steps": 3,
        "module_type": "Linear",
    }
    return ParameterReport(name, verdict, **{**values, **facts})


def named(*parameters: ParameterReport) -> dict[str, ParameterReport]:
    return {found.name: found for found in parameters}


def adamw(*names: str) -> OptimizerReport:
    return OptimizerReport("optimizer", "AdamW", short_line(50, "optimizer = AdamW(...)"), ((0.001, names),), 3)


def loop(steps: int = 3) -> tuple[StepReport, ...]:
    events = (
        Event("zero_grad", "optimizer.zero_grad()", short_line(57, "optimizer.zero_grad()")),
        Event("forward", "forward", short_line(58, "out = model(tokens)")),
        Event("backward", "backward", short_line(61, "loss.backward()")),
        Event("step", "optimizer.step()", short_line(62, "optimizer.step()")),
    )
    return tuple(StepReport(events) for _ in range(steps))


def empty() -> Report:
    return Report(audited=False, notes=("The script made no model.",), title="train.py")


def healthy() -> Report:
    names = ("fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias")
    return Report(
        named(*(parameter(name) for name in names)),
        optimizers=(adamw(*names),),
        steps=loop(),
        symbolic=SymbolicReport("traced"),
        environment={"python": "3.11", "torch": "2.13"},
        title="train.py",
    )


def detached() -> Report:
    dead = ("encoder.weight", "encoder.bias", "norm.weight", "norm.bias")
    names = ("embed.weight", *dead, "head.weight", "head.bias")
    finding = Finding(
        "FXA104",
        "detached-path",
        "error",
        "`encoder.weight` and 3 more reach the loss only through `detach`",
        DETACHED.fix,
        dead,
        line(),
        (
            Related(short_line(32, "return self.head(h)", "Model.forward"), "from here on nothing carries gradient"),
            Related(short_line(60, "loss = F.cross_entropy(out, target)"), "the loss"),
        ),
        detach_path("encoder.weight"),
        proved=True,
        restored=dead,
        also=("FXA403",),
    )
    return Report(
        named(
            *(
                parameter(n, "unreachable", findings=(finding,), culprit=finding.culprit, path=finding.path)
                if n in dead
                else parameter(n)
                for n in names
            )
        ),
        (finding,),
        (adamw(*names),),
        loop(),
        SymbolicReport(
            "stopped", "control flow depends on a tensor", short_line(44, "if h.sum() > 0:", "Model.forward")
        ),
        GraphData(
            modules=(GraphModule("", "Model"), GraphModule("encoder", "Linear", 0)),
            sources=(line(),),
            nodes=(
                GraphNode("parameter", "encoder.weight", 1, -1, True),
                GraphNode("op", "linear", 1, 0, True),
                GraphNode("op", "detach", 0, 0),
                GraphNode("loss", "loss", -1, -1),
            ),
            edges=(
                GraphEdge(0, 1, "data"),
                GraphEdge(0, 1, "grad"),
                GraphEdge(1, 2, "data", True),
                GraphEdge(2, 3, "data"),
            ),
            autograd_nodes=(("AccumulateGrad", -1), ("AddmmBackward0", 1)),
            autograd_edges=((0, 1),),
        ),
        (DETACHED,),
        {"python": "3.11", "torch": "2.13"},
        title="train.py",
    )


def many() -> Report:
    detach = detached().findings[0]
    excluded = Finding(
        "FXA301", "excluded", "warning", "No optimizer holds `head.weight`", "Add it.", ("head.weight",), line(32, None)
    )
    loop_level = Finding("FXA404", "never-cleared", "error", "Gradients are never cleared", "Call `zero_grad()`.")
    unproved = Finding(
        "FXA108",
        "non-differentiable",
        "error",
        "`gate.weight` reaches the loss only through `argmax`",
        "Use softmax.",
        ("gate.weight",),
        SourceLine("site/lib.py", 7, "route", "return scores.argmax(-1)", library=True),
        proved=False,
    )
    note = Finding("FXA505", "rounding-noise", "note", "The gradient of `b` is noise", "", ("embed.weight",), line(40))
    return Report(
        named(
            *(parameter(name, "unreachable", findings=(detach,)) for name in detach.parameters),
            parameter("gate.weight", "unreachable", findings=(unproved,)),
            parameter("head.weight", "excluded", findings=(excluded,)),
            parameter("embed.weight", findings=(note,)),
            parameter("latent", "unregistered", held_by=()),
            parameter("proj (old)", "stale"),
            parameter("scale", "unknown", reason="No optimizer was given."),
            parameter("backbone.weight", "frozen", numel=3_100_000),
        ),
        (note, excluded, detach, loop_level, unproved),
        (adamw("embed.weight"), OptimizerReport("other", "SGD", None, ((0.0, ()), (None, ("latent",))))),
        loop(14)[:2] + (StepReport((Event("forward", "", count=4),)),) * 3 + loop(1) + (StepReport(()),),
        SymbolicReport("skipped", "the model has no forward"),
        rules=(DETACHED, EXCLUDED),
        notes=("One thread was not watched.",),
        title="train.py",
        fail_on="warning",
    )


def folded() -> Report:
    kinds = [f"attn.{m}.{p}" for m in ("q_proj", "k_proj", "v_proj") for p in ("weight", "bias")] + ["mlp.weight"]
    names = ["embed.weight", *(f"encoder.layers.{i}.{kind}" for i in range(12) for kind in kinds), "head.weight"]
    dead = tuple(name for name in names if ".attn." in name)
    finding = Finding(
        "FXA104",
        "detached-path",
        "error",
        "`encoder.layers.{0..11}.attn.*` reach the loss only through `detach`",
        DETACHED.fix,
        dead,
        line(),
        path=detach_path(dead[0]),
        proved=True,
        restored=dead,
    )
    return Report(
        named(
            *(
                parameter(n, "unreachable", findings=(finding,)) if n in dead else parameter(n, numel=590_000)
                for n in names
            )
        ),
        (finding,),
        (adamw(*names),),
        loop(),
        SymbolicReport("traced"),
        rules=(DETACHED,),
        title="train_translation.py",
    )


def died() -> Report:
    traceback = (
        "Traceback (most recent call last):\n"
        '  File "train.py", line 71, in <module>\n    main()\n'
        '  File "train.py", line 62, in main\n    optimizer.step()\n'
        "RuntimeError: out of memory\n"
    )
    report = healthy()
    return Report(
        report.parameters,
        optimizers=report.optimizers,
        steps=report.steps[:1],
        title="train.py",
        script_exit="RuntimeError: out of memory",
        traceback=traceback,
    )


def hostile() -> Report:
    evil = "[red]x[/]\n\x1b[31m</script>|`*_<b>![a](javascript:0)\x00\u202e\ud800@you #1 %0A::error::]]>&{0..3}"
    source = SourceLine(
        f"dir {evil}/a,b:c.py",
        3,
        evil,
        evil,
        (Frame(evil, 1, evil),),
        (0, 5),
        ((2, "```"), (3, evil), (4, "\ttab")),
    )
    finding = Finding(
        evil,
        evil,
        "error",
        evil,
        evil,
        (evil, "[0].x"),
        source,
        (Related(source, evil),),
        (PathStep("parameter", evil, evil, source), PathStep("cut", evil, evil, source), PathStep("loss", evil)),
        True,
        (evil,),
        (evil,),
    )
    bad = parameter(evil, "unreachable", findings=(finding,), held_by=(Holder(evil, 0),), culprit=source, reason=evil)
    return Report(
        named(bad, parameter("[0].x", "unreachable", findings=(finding,)), parameter("fine", dtype=evil)),
        (finding,),
        (OptimizerReport(evil, evil, source, ((0.1, (evil,)),)),),
        (StepReport((Event(evil, evil, source),)),),
        SymbolicReport("stopped", evil, source),
        rules=(RuleInfo(evil, evil, "error", evil, evil, evil),),
        environment={evil: evil},
        notes=(evil,),
        title=evil,
        script_exit=evil,
        traceback=f"{evil}\n{evil}",
    )


CASES: dict[str, Callable[[], Report]] = {
    made.__name__: made for made in (empty, healthy, detached, many, folded, died, hostile)
}


@pytest.fixture(params=sorted(CASES))
def case(request: pytest.FixtureRequest) -> tuple[str, Report]:
    """Every report made by hand, with its name."""
    return request.param, CASES[request.param]()


@pytest.fixture
def reports() -> dict[str, Report]:
    """The reports made by hand, by name."""
    return {name: make() for name, make in CASES.items()}


@pytest.fixture(autouse=True)
def version(monkeypatch: pytest.MonkeyPatch) -> None:
    """Golden files outlive releases."""
    monkeypatch.setattr("fxaudit._version.__version__", "0.0.0")


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compares a text with its golden file; FXAUDIT_REGENERATE=1 writes the file instead."""

    def check(name: str, text: str) -> None:
        path = GOLDEN / name
        data = text.encode("utf-8", "backslashreplace")
        if os.environ.get("FXAUDIT_REGENERATE") == "1":
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
        assert path.exists(), f"no golden file {name}: look at the output, then run with FXAUDIT_REGENERATE=1"
        assert data.decode() == path.read_bytes().decode()

    return check
