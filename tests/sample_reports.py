"""Reports built by hand, from the dataclasses alone: what the tests of the renderers draw."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

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
from fxaudit.answer.finding import Finding, PathStep
from fxaudit.answer.picture_data import GraphData, GraphEdge, GraphModule, GraphNode
from fxaudit.program.source import Frame, SourceLine
from fxaudit.report import Report

HOSTILE = '</script><img src=x onerror="window.pwned=1">\'"`${1}\\N\\G{{7*7}}<b>&amp;\u2028'


def line(number: int, code: str, file: str = "model.py", function: str = "Net.forward") -> SourceLine:
    """A line of an imaginary file, with neighbours and one frame above."""
    context = tuple((n, code if n == number else f"        # line {n}") for n in range(max(1, number - 2), number + 3))
    return SourceLine(
        file,
        number,
        function,
        code.strip(),
        frames=(Frame("train.py", 31, "main"), Frame("train.py", 44, "<module>")),
        columns=(8, 8 + len(code.strip())),
        context=context,
    )


@dataclass
class Sketch:
    """A report in the making: modules, parameters and operations are added in the order in which they ran."""

    modules: list[GraphModule] = field(default_factory=list)
    sources: list[SourceLine] = field(default_factory=list)
    nodes: list[GraphNode] = field(default_factory=list)
    edges: list[GraphEdge] = field(default_factory=list)
    parameters: dict[str, ParameterReport] = field(default_factory=dict)
    autograd: list[tuple[str, int]] = field(default_factory=list)
    autograd_edges: list[tuple[int, int]] = field(default_factory=list)
    owners: dict[int, int] = field(default_factory=dict)
    indices: dict[str, int] = field(default_factory=dict)

    def module(self, name: str, kind: str, *, called: bool = True) -> int:
        """Add a module below the one its name says; returns its index."""
        above = name.rpartition(".")[0]
        parent = self.indices.get(above, -1) if name else -1
        self.indices[name] = len(self.modules)
        self.modules.append(GraphModule(name, kind, parent, called))
        return len(self.modules) - 1

    def parameter(self, name: str, shape: tuple[int, ...], verdict: str = "trained", **more: object) -> int:
        """Add a parameter to the module its name says; returns its node."""
        numel = 1
        for size in shape:
            numel *= size
        module = self.indices.get(name.rpartition(".")[0], -1)
        settings: dict[str, object] = {
            "reason": "gradient arrived and the step changed it" if verdict == "trained" else f"it is {verdict}",
            "held_by": () if verdict in ("excluded", "frozen", "unregistered") else (Holder("AdamW", 0),),
            "dtype": "float32",
            "requires_grad": verdict != "frozen",
            "steps": 1,
            "reached_in": int(verdict in ("trained", "excluded", "blocked")),
            "gradient": Gradient("finite", 0.5) if verdict == "trained" else Gradient("none"),
            "change": Change("changed", 0.01) if verdict == "trained" else Change("unchanged", 0.0),
            "module_type": self.modules[module].type if module >= 0 else "",
        }
        settings.update(more)
        self.parameters[name] = ParameterReport(
            name=name,
            verdict=verdict,
            shape=shape,
            numel=numel,
            **settings,  # type: ignore[arg-type]
        )
        self.nodes.append(GraphNode("parameter", name, module, -1, verdict != "frozen"))
        self.autograd.append(("AccumulateGrad", len(self.nodes) - 1))
        self.owners[len(self.nodes) - 1] = len(self.autograd) - 1
        return len(self.nodes) - 1

    def op(self, label: str, module: int, *inputs: int, at: SourceLine | None = None, cut: bool = False) -> int:
        """Add an operation that reads the nodes `inputs`; `cut` ends the gradient at it."""
        return self._node("op", label, module, inputs, at, cut)

    def loss(self, label: str, *inputs: int) -> int:
        """Add a loss that reads the nodes `inputs`."""
        return self._node("loss", label, -1, inputs, None, False)

    def input(self, label: str) -> int:
        """Add an input of the step."""
        self.nodes.append(GraphNode("input", label))
        return len(self.nodes) - 1

    def _node(
        self, kind: str, label: str, module: int, inputs: tuple[int, ...], at: SourceLine | None, cut: bool
    ) -> int:
        alive = [i for i in inputs if self.nodes[i].carries_gradient]
        source = -1
        if at is not None:
            if at not in self.sources:
                self.sources.append(at)
            source = self.sources.index(at)
        index = len(self.nodes)
        self.nodes.append(GraphNode(kind, label, module, source, bool(alive) and not cut))  # type: ignore[arg-type]
        for i in inputs:
            self.edges.append(GraphEdge(i, index, "data", cut and i in alive))
            if i in alive and not cut:
                self.edges.append(GraphEdge(i, index, "grad"))
        if alive and not cut and kind != "loss":
            self.autograd.append((f"{label.title()}Backward0", index))
            self.owners[index] = len(self.autograd) - 1
            self.autograd_edges += [(self.owners[i], self.owners[index]) for i in alive]
        return index

    def _behind_the_losses(self) -> tuple[tuple[tuple[str, int], ...], tuple[tuple[int, int], ...]]:
        """The autograd nodes that a walk from the losses meets, and their edges."""
        stack = [
            self.owners[edge.source]
            for edge in self.edges
            if edge.kind == "grad" and self.nodes[edge.target].kind == "loss"
        ]
        number: dict[int, int] = {}
        while stack:
            node = stack.pop()
            if node not in number:
                number[node] = len(number)
                stack += [below for below, above in self.autograd_edges if above == node]
        edges = [(number[a], number[b]) for a, b in self.autograd_edges if a in number and b in number]
        return tuple(self.autograd[node] for node in number), tuple(edges)

    def report(self, *, title: str = "train.py", findings: tuple[Finding, ...] = (), **more: object) -> Report:
        """The report, with one optimizer that holds what the parameters say."""
        held = tuple(p.name for p in self.parameters.values() if p.held_by)
        parameters = {
            name: replace(p, findings=tuple(f for f in findings if name in f.parameters))
            for name, p in self.parameters.items()
        }
        group = len(self.nodes)
        node_of = {node.label: n for n, node in enumerate(self.nodes) if node.kind == "parameter"}
        if held:
            self.nodes.append(GraphNode("group", "AdamW group 0"))
        self.edges += [GraphEdge(group, node_of[name], "holds") for name in held]
        settings: dict[str, object] = {
            "optimizers": (
                OptimizerReport(
                    "AdamW", "AdamW", line(40, "opt = AdamW(net.parameters())", "train.py"), ((1e-3, held),), 3
                ),
            ),
            "steps": tuple(
                StepReport(
                    (
                        Event("zero_grad", "AdamW.zero_grad()", line(50, "opt.zero_grad()", "train.py")),
                        Event("forward", "Net.forward", line(51, "out = net(x)", "train.py")),
                        Event("backward", "loss.backward()", line(53, "loss.backward()", "train.py")),
                        Event("step", "AdamW.step()", line(54, "opt.step()", "train.py")),
                    )
                )
                for _ in range(3)
            ),
            "environment": {"python": "3.11.2", "torch": "2.13.0", "platform": "Linux"},
            "symbolic": SymbolicReport("traced"),
        }
        settings.update(more)
        return Report(
            parameters=parameters,
            findings=findings,
            graph_data=GraphData(
                tuple(self.modules),
                tuple(self.sources),
                tuple(self.nodes),
                tuple(self.edges),
                *self._behind_the_losses(),
            ),
            title=title,
            **settings,  # type: ignore[arg-type]
        )


def linear(sketch: Sketch, name: str, shape: tuple[int, int], x: int, verdict: str = "trained", **more: object) -> int:
    """A called `Linear` with weight and bias; returns the node of its output."""
    module = sketch.module(name, "Linear")
    weight = sketch.parameter(f"{name}.weight", shape, verdict, **more)
    bias = sketch.parameter(f"{name}.bias", shape[:1], verdict, **more)
    return sketch.op(
        "linear",
        module,
        x,
        weight,
        bias,
        at=line(20, "return F.linear(input, self.weight, self.bias)", "torch/nn/linear.py"),
    )


DETACHED = line(14, "        h = self.encoder(x).detach()")


def broken() -> Report:
    """An encoder whose output is detached, a decoder that trains, a head that the optimizer forgot, a frozen table."""
    s = Sketch()
    root = s.module("", "Net")
    x = s.input("x")
    table = s.module("table", "Embedding")
    rows = s.op(
        "embedding", table, x, s.parameter("table.weight", (100, 64), "frozen"), at=line(12, "x = self.table(x)")
    )
    encoder = s.module("encoder", "Sequential")
    h = linear(s, "encoder.0", (64, 64), rows, "unreachable", culprit=DETACHED)
    h = s.op("relu", encoder, h, at=line(13, "h = self.encoder(x)"))
    h = linear(s, "encoder.2", (64, 64), h, "unreachable", culprit=DETACHED)
    h = s.op("detach", root, h, at=DETACHED, cut=True)
    h = linear(s, "decoder", (64, 64), h)
    h = s.op("gelu", root, h, at=line(16, "h = F.gelu(self.decoder(h))"))
    lost = line(40, "opt = AdamW([*net.encoder.parameters(), *net.decoder.parameters()])", "train.py", "main")
    out = linear(s, "head", (10, 64), h, "excluded", culprit=lost)
    s.loss("cross_entropy", s.op("cross_entropy", -1, out, at=line(52, "loss = F.cross_entropy(out, y)", "train.py")))
    encoder_names = tuple(n for n in s.parameters if n.startswith("encoder"))
    path = (
        PathStep("optimizer", "AdamW group 0"),
        PathStep("parameter", "encoder.2.weight", "encoder.2"),
        PathStep("operation", "linear", "encoder.2", line(13, "h = self.encoder(x)")),
        PathStep("cut", "detach", "", DETACHED, False),
        PathStep("operation", "linear", "decoder", line(16, "h = F.gelu(self.decoder(h))"), False),
        PathStep("operation", "gelu", "", line(16, "h = F.gelu(self.decoder(h))"), False),
        PathStep("operation", "linear", "head", line(17, "return self.head(h)"), False),
        PathStep("loss", "cross_entropy", "", line(52, "loss = F.cross_entropy(out, y)", "train.py"), False),
    )
    detached = Finding(
        "FXA104",
        "detached-path",
        "error",
        "`encoder.*` receives no gradient: the only path to the loss is detached",
        "Delete `.detach()` in line 14, or freeze it with `net.encoder.requires_grad_(False)` if you meant it.",
        encoder_names,
        DETACHED,
        path=path,
        proved=True,
        restored=encoder_names,
    )
    excluded = Finding(
        "FXA301",
        "excluded",
        "error",
        "No optimizer holds `head.*`",
        "Pass them to the optimizer:\n"
        "- opt = AdamW([*net.encoder.parameters(), *net.decoder.parameters()])\n"
        "+ opt = AdamW(net.parameters())",
        ("head.weight", "head.bias"),
        lost,
    )
    return s.report(
        findings=(detached, excluded),
        rules=(
            RuleInfo("FXA104", "detached-path", "error", "Every path is detached.", "Nothing fails.", "Delete it."),
        ),
        notes=("The data loader's worker processes were not watched.",),
    )


def healthy() -> Report:
    """A small network in which everything trains."""
    s = Sketch()
    root = s.module("", "MLP")
    h = s.input("x")
    for number in range(3):
        h = linear(s, f"layer{number}", (32, 32), h)
        h = s.op("relu", root, h, at=line(10 + number, "h = F.relu(layer(h))"))
    s.loss("mse_loss", s.op("mse_loss", -1, h))
    return s.report()


def transformer(layers: int = 12, odd: int | None = None, width: int = 768) -> Report:
    """GPT-2's modules and parameters; in layer `odd` the attention's projection is unreachable."""
    s = Sketch()
    root = s.module("", "GPT")
    trunk = s.module("transformer", "ModuleDict")
    tokens = s.input("idx")
    wte = s.module("transformer.wte", "Embedding")
    shared = s.parameter("transformer.wte.weight", (50257, width))
    x = s.op("embedding", wte, tokens, shared)
    wpe = s.module("transformer.wpe", "Embedding")
    x = s.op("add", root, x, s.op("embedding", wpe, tokens, s.parameter("transformer.wpe.weight", (1024, width))))
    s.module("transformer.h", "ModuleList")
    for n in range(layers):
        x = _block(s, f"transformer.h.{n}", x, width, broken=n == odd)
    ln_f = s.module("transformer.ln_f", "LayerNorm")
    x = s.op("layer_norm", ln_f, x, s.parameter("transformer.ln_f.weight", (width,)))
    head = s.module("lm_head", "Linear")
    out = s.op("linear", head, x, shared)
    s.loss("cross_entropy", s.op("cross_entropy", root, out, at=line(187, "loss = F.cross_entropy(logits, targets)")))
    assert trunk >= 0
    findings: tuple[Finding, ...] = ()
    if odd is not None:
        bad = tuple(p.name for p in s.parameters.values() if p.verdict == "unreachable")
        findings = (
            Finding(
                "FXA104",
                "detached-path",
                "error",
                f"`transformer.h.{odd}.attn.c_proj.*` receives no gradient: its output is detached",
                "Delete `.detach()`.",
                bad,
                line(76, "y = self.c_proj(y).detach()"),
                proved=True,
                restored=bad,
            ),
        )
    return s.report(title="train_gpt2.py", findings=findings)


def _block(s: Sketch, name: str, x: int, width: int, *, broken: bool) -> int:
    block = s.module(name, "Block")
    ln_1 = s.module(f"{name}.ln_1", "LayerNorm")
    h = s.op(
        "layer_norm", ln_1, x, s.parameter(f"{name}.ln_1.weight", (width,)), s.parameter(f"{name}.ln_1.bias", (width,))
    )
    attn = s.module(f"{name}.attn", "CausalSelfAttention")
    qkv = linear(s, f"{name}.attn.c_attn", (3 * width, width), h)
    parts = [s.op("split", attn, qkv) for _ in range(3)]
    parts = [s.op("transpose", attn, s.op("view", attn, part)) for part in parts]
    y = s.op("scaled_dot_product_attention", attn, *parts)
    y = s.op("view", attn, s.op("transpose", attn, y))
    verdict = "unreachable" if broken else "trained"
    culprit = line(76, "y = self.c_proj(y).detach()")
    y = linear(s, f"{name}.attn.c_proj", (width, width), y, verdict, **({"culprit": culprit} if broken else {}))
    if broken:
        y = s.op("detach", attn, y, at=culprit, cut=True)
    s.module(f"{name}.attn.dropout", "Dropout")
    x = s.op("add", block, x, y)
    ln_2 = s.module(f"{name}.ln_2", "LayerNorm")
    h = s.op(
        "layer_norm", ln_2, x, s.parameter(f"{name}.ln_2.weight", (width,)), s.parameter(f"{name}.ln_2.bias", (width,))
    )
    mlp = s.module(f"{name}.mlp", "MLP")
    h = linear(s, f"{name}.mlp.c_fc", (4 * width, width), h)
    h = s.op("gelu", mlp, h)
    h = linear(s, f"{name}.mlp.c_proj", (width, 4 * width), h)
    return s.op("add", block, x, h)


def mixture(layers: int = 24, experts: int = 64, idle: int = 7) -> Report:
    """A mixture of experts in which the experts from `idle` on are never routed to in every third layer."""
    s = Sketch()
    root = s.module("", "MoE")
    x = s.op("embedding", s.module("embed", "Embedding"), s.input("tokens"), s.parameter("embed.weight", (1000, 64)))
    s.module("layers", "ModuleList")
    for n in range(layers):
        block = s.module(f"layers.{n}", "MoEBlock")
        gate = linear(s, f"layers.{n}.gate", (experts, 64), x)
        s.module(f"layers.{n}.experts", "ModuleList")
        outs = []
        for e in range(experts):
            dead = n % 3 == 0 and e >= idle
            expert = s.module(f"layers.{n}.experts.{e}", "Expert", called=not dead)
            verdict = "unreachable" if dead else "trained"
            up = s.parameter(f"layers.{n}.experts.{e}.up", (256, 64), verdict)
            down = s.parameter(f"layers.{n}.experts.{e}.down", (64, 256), verdict)
            if not dead:
                outs.append(s.op("matmul", expert, s.op("matmul", expert, x, up), down))
        x = s.op("mix", block, gate, x, *outs)
    s.loss("loss", s.op("cross_entropy", root, x))
    return s.report(title="moe.py")


def without_graph() -> Report:
    """Parameters alone: nothing was recorded, no module is known."""
    s = Sketch()
    for n in range(6):
        for part in ("weight", "bias"):
            s.parameter(f"blocks.{n}.fc.{part}", (8, 8), "unknown", module_type="Linear", reason="nothing could be run")
    s.parameter("scale", (), "unknown", reason="nothing could be run")
    return replace(
        s.report(),
        graph_data=GraphData(),
        symbolic=SymbolicReport("stopped", "depends on a tensor", line(9, "if x.sum() > 0:")),
    )


def every_verdict() -> Report:
    """One parameter of each verdict, in one module."""
    s = Sketch()
    root = s.module("", "Zoo")
    outs = []
    for verdict in ("trained", "unreachable", "replaced", "excluded", "blocked", "unknown", "frozen"):
        s.module(verdict, "Linear")
        p = s.parameter(
            f"{verdict}.weight",
            (4, 4),
            verdict,
            culprit=None if verdict in ("trained", "frozen") else line(7, f"make({verdict})"),
        )
        outs.append(s.op("linear", root, p, cut=verdict in ("unreachable", "replaced")))
    s.parameter("layers[0].weight", (4, 4), "unregistered")
    s.parameter("trained.weight (old)", (4, 4), "stale")
    s.loss("loss", *outs)
    return s.report(title="zoo.py")


def hostile() -> Report:
    """Names, code, paths and messages that try to break out of whatever they are put into."""
    s = Sketch()
    root = s.module("", HOSTILE)
    inner = s.module(f"a.{HOSTILE}".replace(".", "_"), HOSTILE)
    source = line(3, HOSTILE, f"{HOSTILE}.py", HOSTILE)
    bad = s.parameter(f"{HOSTILE}", (2,), "unreachable", culprit=source, reason=HOSTILE)
    good = s.parameter("ok\\", (2,), "trained", reason="<b>")
    cut = s.op(HOSTILE, inner, bad, at=source, cut=True)
    s.loss(HOSTILE, s.op("add", root, cut, good))
    finding = Finding(
        "FXA104", HOSTILE, "error", HOSTILE, f"{HOSTILE}\n- {HOSTILE}\n+ {HOSTILE}", (HOSTILE,), source, proved=False
    )
    return s.report(
        title=HOSTILE,
        findings=(finding,),
        environment={HOSTILE: HOSTILE},
        notes=(HOSTILE,),
        script_exit=HOSTILE,
        traceback=HOSTILE,
    )


def vanishing() -> Report:
    """A gradient that a saturated `clamp` makes exactly zero, in the middle of a line with two operations."""
    sketch = Sketch()
    sketch.module("", "Net")
    at = line(7, "return h.clamp(0, 1) * self.scale")
    names = ("body.weight", "gate.scale")
    h = sketch.input("x")
    body = sketch.module("body", "Linear")
    zero: dict[str, object] = {"gradient": Gradient("zero", 0.0), "verdict": "blocked"}
    h = sketch.op("linear", body, h, sketch.parameter("body.weight", (4, 4), **zero))  # type: ignore[arg-type]
    gate = sketch.module("gate", "Gate")
    h = sketch.op("clamp", gate, h, at=at)
    h = sketch.op("mul", gate, h, sketch.parameter("gate.scale", (4,), **zero), at=at)  # type: ignore[arg-type]
    sketch.loss("loss", linear(sketch, "head", (4, 4), h))
    report = sketch.report()
    path = (
        PathStep("parameter", "body.weight"),
        PathStep("operation", "linear", "body"),
        PathStep("operation", "clamp", "gate", at),
        PathStep("operation", "mul", "gate", at),
        PathStep("operation", "linear", "head"),
        PathStep("loss", "loss"),
    )
    message = "the gradient of `body.weight` is exactly zero: all inputs of `clamp` are above 1, where it is flat"
    finding = Finding("FXA501", "zero-gradient", "error", message, "Widen the bounds.", names, at, path=path)
    blamed = {n: replace(report[n], findings=(finding,), culprit=at, path=path) for n in names}
    return replace(report, findings=(finding,), parameters={**report.parameters, **blamed})
