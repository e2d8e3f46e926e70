"""Each family of edits: text in, text out; comments stay, and what does not fit yields nothing."""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Callable, Iterator

import pytest

from fxaudit.program.edits import (
    conditions,
    containers,
    cuts,
    factors,
    freezes,
    loop,
    moves,
    names,
    neighbours,
    numbers,
    optimizers,
    regions,
    rounds,
    selections,
    settings,
    totals,
    values,
)
from fxaudit.program.edits.syntax import Place

Edit = Callable[[str, Place], Iterator[str]]


def lines_after(edit: Edit, text: str) -> list[str]:
    """What the edit makes of `text` at the line that ends with `# HERE`: the lines that differ, joined, of each."""
    text = textwrap.dedent(text).lstrip("\n")
    line = next(n for n, code in enumerate(text.splitlines(), 1) if "# HERE" in code)
    return [changed(text, new) for new in edit(text, Place(line))]


def changed(old: str, new: str) -> str:
    before, after = old.splitlines(), new.splitlines()
    lines: list[str] = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag != "equal":
            lines += [f"- {line}" for line in before[a:b]] + [f"+ {line}" for line in after[c:d]]
    return "\n".join(lines)


CASES: list[tuple[str, Edit, str, str]] = [
    (
        "half of a test",
        conditions.each_asked,
        'if "a" or "b" in name:  # HERE\n    f()\n',
        '+ if "a" in name or "b" in name:  # HERE',
    ),
    ("a comparison that stands alone", conditions.each_asked, "p.on == True  # HERE", "+ p.on = True  # HERE"),
    ("a shallow copy", cuts.copied_deeply, "t = copy.copy(net)  # HERE", "+ t = copy.deepcopy(net)  # HERE"),
    (
        "a copy of the groups",
        optimizers.groups_themselves,
        'g = o.state_dict()["param_groups"][0]  # HERE',
        "+ g = o.param_groups[0]  # HERE",
    ),
    (
        "a layer of the class",
        containers.of_instance,
        """
        class Net(nn.Module):
            project = nn.Linear(2, 2)  # HERE

            def __init__(self):
                super().__init__()
        """,
        "+         self.project = nn.Linear(2, 2)",
    ),
    (
        "a tensor made of itself",
        cuts.without_new_leaf,
        "h = f(x)\nh = h.new_tensor(h)  # HERE\n",
        "- h = h.new_tensor(h)  # HERE",
    ),
    (
        "what says nothing any more goes",
        cuts.without_round_trip,
        "def f(x):\n    x = torch.from_numpy(x.detach().numpy())  # HERE\n    return x\n",
        "-     x = torch.from_numpy(x.detach().numpy())  # HERE",
    ),
    (
        "filled with a number",
        cuts.without_round_trip,
        "def f(x):\n    return torch.full_like(x, x.mean().item())  # HERE\n",
        "+     return x.mean().expand_as(x)  # HERE",
    ),
    (
        "a selection of one",
        selections.straight_through,
        "h = F.one_hot(h.argmax(-1), 3).float()  # HERE",
        "+ h = (h.softmax(-1) + (F.one_hot(h.argmax(-1), 3).float() - h.softmax(-1)).detach())  # HERE",
    ),
    ("a selection", selections.chosen_softly, "k = torch.argmax(s, dim=1)  # HERE", "+ k = s.softmax(1)  # HERE"),
    (
        "a draw",
        selections.chosen_softly,
        "k = torch.multinomial(p, 1)  # HERE",
        "+ k = torch.nn.functional.gumbel_softmax(p.log(), hard=True)  # HERE",
    ),
    (
        "a mask of zeros",
        values.alive,
        "mask = torch.zeros_like(x)  # HERE\ny = x * mask\n",
        "+ mask = torch.ones_like(x)  # HERE",
    ),
    ("far away", numbers.within_reach, "h = torch.relu(h - 1e4)  # HERE", "+ h = torch.relu(h)  # HERE"),
    (
        "not a number",
        numbers.without_nan,
        "f(w)\nw.data[0] = float('nan')  # HERE\n",
        "- w.data[0] = float('nan')  # HERE",
    ),
    (
        "a value thrown away",
        totals.not_overwritten,
        "def f(x):\n    y = g(x)\n    y = torch.randn(y.shape)  # HERE\n    return y\n",
        "-     y = torch.randn(y.shape)  # HERE",
    ),
    (
        "what a function closes over",
        containers.kept_beside,
        """
        class Net(nn.Module):
            def __init__(self, inner):
                super().__init__()
                self.run = lambda x: inner(x)  # HERE
        """,
        "+         self.inner = inner",
    ),
    (
        "a group's rate",
        factors.other_value,
        'groups = [{"params": a, "lr": 0.0}]  # HERE\no = SGD(groups, lr=0.01)\n',
        '+ groups = [{"params": a, "lr": 0.01}]  # HERE',
    ),
    ("a rate of a group", factors.not_zero, 'group["lr"] = 0.0  # HERE', '+ group["lr"] = 1e-3  # HERE'),
    ("a weight by position", factors.not_zero, "net = Net(8, 0.0)  # HERE", "+ net = Net(8, 1.0)  # HERE"),
    (
        "a count that begins at 0",
        conditions.one_sooner,
        "if epoch >= last:  # HERE\n    f()\n",
        "+ if epoch + 1 >= last:  # HERE",
    ),
    (
        "a name that begins alike",
        freezes.narrowed,
        "for n in names:\n    if n.startswith(part):  # HERE\n        f(n)\n",
        '+     if n.startswith(part + "."):  # HERE',
    ),
    (
        "a part of a name",
        freezes.narrowed,
        'if "layer1" in name:  # HERE\n    f()\n',
        '+ if "layer1." in name:  # HERE',
    ),
    (
        "frozen by default",
        freezes.thawed,
        "self.e = nn.Embedding.from_pretrained(v)  # HERE",
        "+ self.e = nn.Embedding.from_pretrained(v, freeze=False)  # HERE",
    ),
    (
        "labels that count",
        conditions.other_elements,
        "labels[position < n] = -100  # HERE",
        "+ labels[position >= n] = -100  # HERE",
    ),
    (
        "a remainder",
        conditions.asked,
        "if seen % every == every:  # HERE\n    f()\n",
        "+ if seen % every == 0:  # HERE",
    ),
    (
        "numbers that are stacked later",
        cuts.without_round_trip,
        """
        def f(x):
            all = [g(part).item() for part in x]  # HERE
            return torch.tensor(all).mean()
        """,
        "+     all = [g(part) for part in x]  # HERE\n+     return torch.stack(all).mean()",
    ),
    ("a flag", conditions.other_flag, "self.stopped = True  # HERE", "+ self.stopped = False  # HERE"),
    (
        "a way out of the loop",
        conditions.staying,
        """
        for name, optimizer in optimizers.items():
            optimizer.step()
            if name == "actor":
                break  # HERE
        """,
        "-         break  # HERE\n+         continue  # HERE",
    ),
    (
        "an argument that the caller has and leaves out",
        neighbours.named_alike,
        """
        def forward(image, edges=None):
            if edges is None:  # HERE
                return image

        def loss(batch):
            image, edges = batch
            return net(image)
        """,
        "+     return net(image, edges=edges)",
    ),
    (
        "a step that forgets what it inherits",
        loop.inherited_step,
        """
        class Own(Adam):
            def step(self):  # HERE
                clip()
                return None
        """,
        "+         super().step()",
    ),
    (
        "a group taken away",
        loop.without_surgery,
        "del opt.param_groups[0]  # HERE",
        "- del opt.param_groups[0]  # HERE",
    ),
    (
        "the first group alone",
        optimizers.every_group,
        'opt.param_groups[0]["lr"] = rate  # HERE',
        '+ for group in opt.param_groups:\n+     group["lr"] = rate  # HERE',
    ),
    (
        "a state that is given anew",
        neighbours.state_handed_on,
        """
        def forward(self, x):
            state = self.first(x)
            h, state = self.lstm(x)  # HERE
            return h
        """,
        "+     h, state = self.lstm(x, state)  # HERE",
    ),
    (
        "a value that nobody hands on",
        neighbours.unread_handed_on,
        """
        def loss(self, batch):
            image, edges, y = batch
            out = self.net(image)  # HERE
            return f(out, y)
        """,
        "+     out = self.net(image, edges)  # HERE",
    ),
    (
        "a term that is taken apart and not used",
        totals.added,
        """
        def loss(batch):
            total, penalty = both(batch)  # HERE
            return total
        """,
        "+     return total + penalty",
    ),
    (
        "made anew in each round",
        rounds.before_loop,
        """
        for x in data:
            scaler = GradScaler()  # HERE
            scaler.step(o)
        """,
        "+ scaler = GradScaler()  # HERE",
    ),
    (
        "some inputs alone",
        loop.without_inputs,
        "loss.backward(inputs=list(head.parameters()))  # HERE",
        "+ loss.backward()  # HERE",
    ),
    ("the evaluation mode", conditions.trained_again, "model.eval()  # HERE", "+ model.train()  # HERE"),
    (
        "a derivative without a graph",
        values.with_graph,
        "g = torch.autograd.grad(y, x)[0]  # HERE",
        "+ g = torch.autograd.grad(y, x, create_graph=True)[0]  # HERE",
    ),
    (
        "a layer made in forward",
        moves.made_once,
        """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
            def forward(self, x):
                fc = nn.Linear(x.size(1), 4)  # HERE
                return fc(x)
        """,
        "+         self.fc = nn.LazyLinear(4)\n",
    ),
    (
        "what is computed and never read, in the place of what is read twice",
        neighbours.unread_instead,
        """
        def forward(self, x):
            context = self.attend(x)
            return torch.cat([x, x])  # HERE
        """,
        "-     return torch.cat([x, x])  # HERE\n+     return torch.cat([x, context])  # HERE",
    ),
    (
        "the other of two losses",
        neighbours.other_result,
        """
        def train():
            total, aux = losses(model)
            aux.backward()  # HERE
        """,
        "+     total.backward()  # HERE",
    ),
    (
        "what another call is given",
        neighbours.as_other_call,
        "a = run(f, tuple(self.parameters()))\nb = run(g, ())  # HERE\n",
        "+ b = run(g, tuple(self.parameters()))  # HERE",
    ),
    (
        "a lambda in a loop keeps its round",
        neighbours.bound_early,
        "fs = [lambda: f(i) for i in range(3)]  # HERE",
        "+ fs = [lambda i=i: f(i) for i in range(3)]  # HERE",
    ),
    (
        "a total is overwritten in its loop",
        rounds.accumulated,
        """
        def total():
            loss = 0.0
            for head in heads:
                loss = head()  # HERE
            return loss
        """,
        "+         loss = loss + head()  # HERE",
    ),
    (
        "a return in the loop",
        rounds.after_loop,
        """
        def forward(self, x):
            for layer in self.layers:
                x = layer(x)
                return x  # HERE
        """,
        "-         return x  # HERE\n+     return x  # HERE",
    ),
    (
        "a generator is gone through twice",
        rounds.listed,
        """
        batches = stream()
        total = sum(1 for _ in batches)  # HERE
        """,
        "+ batches = list(stream())",
    ),
    (
        "a method that nobody calls",
        rounds.called_at_end,
        """
        class Own(Optimizer):
            def step(self):
                self.state["update"] = 1  # HERE
            def apply(self):
                pass
        """,
        "+         self.apply()",
    ),
    ("a minus is missing", numbers.other_power, "eps = 1e8  # HERE", "+ eps = 1e-8  # HERE"),
    (
        "a sign",
        numbers.other_sign,
        "rate = high + (high - low) * t  # HERE",
        "+ rate = high - (high - low) * t  # HERE",
    ),
    (
        "the other triangle",
        numbers.other_triangle,
        "mask = torch.triu(torch.ones(n, n), diagonal=1)  # HERE",
        "+ mask = torch.tril(torch.ones(n, n))  # HERE",
    ),
    ("a power of what is negative", numbers.clamped, "y = x.pow(p)  # HERE", "+ y = x.clamp(min=1e-6).pow(p)  # HERE"),
    (
        "what is kept for what is dropped",
        numbers.dropping_the_rest,
        "a = Attention(dropout=keep)  # HERE",
        "+ a = Attention(dropout=1 - keep)  # HERE",
    ),
    ("everything is dropped", numbers.without_dropping, "d = nn.Dropout(1.0)  # HERE", "+ d = nn.Dropout(0.1)  # HERE"),
    (
        "a block without its last statement",
        regions.restricted,
        """
        with torch.no_grad():  # HERE
            a = f()
            b = g(a)
        """,
        "-     b = g(a)\n+ b = g(a)",
    ),
    (
        "a switch that comes too late",
        regions.switched_back_sooner,
        """
        torch.set_grad_enabled(False)  # HERE
        a = f()
        b = g()
        torch.set_grad_enabled(True)
        """,
        "+ torch.set_grad_enabled(True)\n- torch.set_grad_enabled(True)",
    ),
    (
        "a flag on the loss",
        cuts.without_flag,
        """
        def f():
            y = g().detach()  # HERE
            y.requires_grad = True
            return y
        """,
        "-     y.requires_grad = True",
    ),
    (
        "a Parameter made of the slot, kept in a local name",
        moves.to_local,
        """
        def forward(self, x):
            self.w = nn.Parameter(norm(self.w))  # HERE
            return x @ self.w
        """,
        "-     self.w = nn.Parameter(norm(self.w))  # HERE\n-     return x @ self.w\n"
        "+     w = norm(self.w)  # HERE\n+     return x @ w",
    ),
    (
        "an own train that leaves the module out",
        conditions.handed_to_all,
        """
        class Net(nn.Module):
            def train(self, mode=True):  # HERE
                self.body.train(mode)
        """,
        "+         super().train(mode)",
    ),
    (
        "a buffer that is to be trained",
        containers.parameter_of_buffer,
        'self.register_buffer("a", torch.zeros(3, requires_grad=True))  # HERE',
        '+ self.register_parameter("a", torch.nn.Parameter(torch.zeros(3)))  # HERE',
    ),
    (
        "modules in what a call is given",
        containers.hoisted,
        "self.f = partial(run, [nn.Linear(2, 2)])  # HERE",
        "+ self.f_parts = nn.ModuleList([nn.Linear(2, 2)])\n+ self.f = partial(run, self.f_parts)  # HERE",
    ),
    (
        "a rate in the defaults",
        optimizers.set_in_groups,
        'opt.defaults["lr"] = lr  # HERE',
        '+ for group in opt.param_groups:\n+     group["lr"] = lr',
    ),
    ("a pinned scale", loop.unpinned, "scaler.update(2.0**16)  # HERE", "+ scaler.update()  # HERE"),
    (
        "the new value in the gradient",
        loop.written_to_value,
        "p.grad.data = p.data - g  # HERE",
        "+ p.data = p.data - g  # HERE",
    ),
    (
        "a number made of a value",
        selections.number_passed_through,
        "s = round(w.item(), 3)  # HERE",
        "+ s = w + (round(w.item(), 3) - w).detach()  # HERE",
    ),
    ("detach", cuts.without_detach, "h = f(x).detach()  # HERE", "- h = f(x).detach()  # HERE\n+ h = f(x)  # HERE"),
    ("data", cuts.without_detach, "h = g(x.data)  # HERE", "- h = g(x.data)  # HERE\n+ h = g(x)  # HERE"),
    ("in brackets", cuts.without_detach, "h = (a + b).detach()  # HERE", "+ h = (a + b)  # HERE"),
    (
        "a detach that says nothing else goes with its condition",
        cuts.without_detach,
        """
        def f(x, save):
            # why
            if save:
                x = x.detach()  # HERE
            return x
        """,
        "-     if save:\n-         x = x.detach()  # HERE",
    ),
    ("item", cuts.without_round_trip, "h = t * w.item()  # HERE", "+ h = t * w  # HERE"),
    ("numpy", cuts.without_round_trip, "h = torch.from_numpy(x.detach().cpu().numpy())  # HERE", "+ h = x  # HERE"),
    ("float", cuts.without_round_trip, "h = x * math.exp(float(s))  # HERE", "+ h = x * torch.exp(s)  # HERE"),
    (
        "a list of tensors",
        cuts.without_new_leaf,
        "h = torch.tensor([a, b])  # HERE",
        "+ h = torch.stack([a, b])  # HERE",
    ),
    ("a new leaf", cuts.without_new_leaf, "h = nn.Parameter(f(x))  # HERE", "+ h = f(x)  # HERE"),
    (
        "no_grad",
        regions.with_gradient,
        """
        def f(x):
            # above
            with torch.no_grad():  # HERE
                # inside
                y = g(x)  # beside
            return y
        """,
        "-     with torch.no_grad():  # HERE\n-         # inside\n-         y = g(x)  # beside\n"
        "+     # inside\n+     y = g(x)  # beside",
    ),
    (
        "one of two managers",
        regions.with_gradient,
        "with autocast(), torch.no_grad():  # HERE\n    y = g(x)\n",
        "+ with autocast():  # HERE",
    ),
    (
        "a decorator",
        regions.with_gradient,
        "@torch.no_grad()  # HERE\ndef f(x):\n    return x\n",
        "- @torch.no_grad()  # HERE",
    ),
    (
        "a switch",
        regions.with_gradient,
        "x = 1\ntorch.set_grad_enabled(False)  # HERE\n",
        "- torch.set_grad_enabled(False)  # HERE",
    ),
    (
        "a switch the wrong way",
        regions.with_gradient,
        "with torch.set_grad_enabled(not training):  # HERE\n    y = g(x)\n",
        "+ with torch.set_grad_enabled(training):  # HERE",
    ),
    (
        "a list",
        containers.registered,
        "self.l = [nn.Linear(2, 2)]  # HERE",
        "+ self.l = nn.ModuleList([nn.Linear(2, 2)])  # HERE",
    ),
    (
        "a dict",
        containers.registered,
        "self.l = {'a': nn.Linear(2, 2)}  # HERE",
        "+ self.l = nn.ModuleDict({'a': nn.Linear(2, 2)})  # HERE",
    ),
    (
        "an empty list that is filled",
        containers.registered,
        """
        class Net(nn.Module):
            def __init__(self):
                self.l = []
                self.l.append(nn.Linear(2, 2))  # HERE
        """,
        "-         self.l = []\n+         self.l = nn.ModuleList()",
    ),
    (
        "a bare tensor",
        containers.registered,
        "nn.Linear(2, 2); self.v = torch.ones(3, requires_grad=True)  # HERE",
        "+ nn.Linear(2, 2); self.v = nn.Parameter(torch.ones(3))  # HERE",
    ),
    (
        "a Parameter moved",
        containers.parameter_outside,
        "self.w = nn.Parameter(a).to(d)  # HERE",
        "+ self.w = nn.Parameter(a.to(d))  # HERE",
    ),
    (
        "a Parameter scaled",
        containers.parameter_outside,
        "self.w = 0.1 * nn.Parameter(a + b)  # HERE",
        "+ self.w = nn.Parameter(0.1 * (a + b))  # HERE",
    ),
    (
        "a plain class",
        containers.as_module,
        """
        class Block:
            def __init__(self):
                self.l = nn.Linear(2, 2)  # HERE
            def __call__(self, x):
                return self.l(x)
        """,
        "+ class Block(nn.Module):",
    ),
    ("parentheses", loop.called, "optimizer.step  # HERE", "+ optimizer.step()  # HERE"),
    ("a clearing too early", loop.removed, "a()\nopt.zero_grad()  # HERE\nopt.step()\n", "- opt.zero_grad()  # HERE"),
    (
        "a clearing behind the step",
        lambda t, p: loop.moved_behind(t, p, "step"),
        "loss.backward()\nopt.zero_grad()  # HERE\nopt.step()\nlog()\n",
        "+ opt.step()\n- opt.step()",
    ),
    ("clearing added", loop.cleared_behind, "opt.step()  # HERE\n", "+ opt.zero_grad()"),
    ("a scaler's step", loop.cleared_behind, "scaler.step(opt)  # HERE\n", "+ opt.zero_grad()"),
    ("a backward", loop.backward_before, "loss = f(x)\nopt.step()  # HERE\n", "+ loss.backward()"),
    ("another's step", lambda t, p: loop.instead(t, p, "step", "b"), "a.step()  # HERE\n", "+ b.step()  # HERE"),
    ("a comparison", conditions.holding, "if a == b:  # HERE\n    f()\n", "+ if a != b:  # HERE"),
    ("a negation", conditions.holding, "if not a:  # HERE\n    f()\n", "+ if a:  # HERE"),
    ("a way out", conditions.holding, "while a:\n    f()\n    break  # HERE\n", "-     break  # HERE"),
    ("whole numbers", values.true_division, "a = b // c  # HERE", "+ a = b / c  # HERE"),
    (
        "rounding",
        selections.straight_through,
        "y = torch.round(x)  # HERE",
        "+ y = (x + (torch.round(x) - x).detach())  # HERE",
    ),
    (
        "a threshold",
        selections.straight_through,
        "y = (p > 0.5).float()  # HERE",
        "+ y = (p + ((p > 0.5).float() - p).detach())  # HERE",
    ),
    (
        "all but one",
        values.whole_range,
        "for l in self.layers[:-1]:  # HERE\n    f()\n",
        "+ for l in self.layers:  # HERE",
    ),
    ("a range", values.whole_range, "for i in range(n - 1):  # HERE\n    f()\n", "+ for i in range(n):  # HERE"),
    ("zeros fed", values.alive, "s = torch.zeros_like(v)  # HERE", "+ s = v  # HERE"),
    (
        "zeros initialised",
        values.alive,
        "a = 1\nnn.init.zeros_(l.weight)  # HERE\n",
        "- nn.init.zeros_(l.weight)  # HERE",
    ),
    ("a root", values.finite, "d = x.sum().sqrt()  # HERE", "+ d = (x.sum() + 1e-8).sqrt()  # HERE"),
    (
        "another place's rate",
        factors.other_value,
        "a = SGD(p, lr=0.0)  # HERE\nb = SGD(q, lr=0.3)\n",
        "+ a = SGD(p, lr=0.3)  # HERE",
    ),
    ("a placeholder", factors.not_zero, "a = SGD(p, lr=0.0)  # HERE\n", "+ a = SGD(p, lr=1e-3)  # HERE"),
    (
        "a hook",
        values.hook_passing,
        "def hook(grad):\n    return grad * 0\nw.register_hook(hook)  # HERE\n",
        "-     return grad * 0\n+     return grad",
    ),
    (
        "a custom backward",
        values.gradient_of_function,
        "def backward(ctx, g):\n    return None, g  # HERE\n",
        "+     return g, g  # HERE",
    ),
    ("a misspelt name", names.respelt, "a = {'phase': 1}\nb = c['phas']  # HERE\n", "+ b = c['phase']  # HERE"),
    (
        "a term left out",
        totals.added,
        "def f():\n    k = g()  # HERE\n    return r\n",
        "-     return r\n+     return r + k",
    ),
    (
        "a result overwritten",
        totals.kept,
        "def f(x):\n    h = a(x)  # HERE\n    h = b(x)\n    return h\n",
        "-     h = b(x)\n+     h = b(h)",
    ),
    ("a result nobody takes", totals.kept, "layer(x)  # HERE\n", "+ x = layer(x)  # HERE"),
    (
        "all of the model",
        optimizers.given_all,
        "opt = optim.SGD(model.head.parameters(), lr=1)  # HERE\n",
        "+ opt = optim.SGD(model.parameters(), lr=1)  # HERE",
    ),
    (
        "built too early",
        optimizers.moved_behind,
        "opt = optim.SGD(m.parameters(), lr=1)\nm.head = nn.Linear(2, 2)  # HERE\n",
        "+ m.head = nn.Linear(2, 2)  # HERE\n- m.head = nn.Linear(2, 2)  # HERE",
    ),
    (
        "a slot",
        moves.in_place,
        "self.l.weight = torch.clamp(self.l.weight, -1, 1)  # HERE\n",
        "+ with torch.no_grad():\n+     self.l.weight.copy_(torch.clamp(self.l.weight, -1, 1))  # HERE",
    ),
    (
        "a slot that a bound settles",
        moves.settled_in_place,
        "self.l.weight = nn.Parameter(self.l.weight.clamp(-1, 1))  # HERE\n",
        "+ with torch.no_grad():\n+     self.l.weight.copy_(self.l.weight.clamp(-1, 1))  # HERE",
    ),
    (
        "a slot whose module is called",
        moves.given_to_call,
        """
        def forward(self, x):
            self.l.weight = self.l.weight * self.scale  # HERE
            return self.l(x)
        """,
        "-     self.l.weight = self.l.weight * self.scale  # HERE\n-     return self.l(x)\n"
        "+     weight = self.l.weight * self.scale  # HERE\n"
        '+     return torch.func.functional_call(self.l, {"weight": weight}, (x,))',
    ),
    (
        "a layer made where it is called",
        moves.made_once,
        """
        class Net:
            def __init__(self):
                self.a = 1

            def forward(self, x):
                return nn.Linear(4, 4)(x)  # HERE
        """,
        "+         self.linear = nn.Linear(4, 4)\n-         return nn.Linear(4, 4)(x)  # HERE\n"
        "+         return self.linear(x)  # HERE",
    ),
    (
        "a class derived from object",
        containers.as_module,
        "class Part(object):\n    def __init__(self):\n        self.l = nn.Linear(2, 2)  # HERE\n",
        "- class Part(object):\n+ class Part(nn.Module):",
    ),
    (
        "what nobody counts",
        totals.counted_alike,
        """
        def g():
            b = self.b(x)
            return b

        def f():
            a, b = model(x)
            loss = mse(a, y)  # HERE
            return loss
        """,
        "+     loss = mse(a, y) + mse(b, y)  # HERE",
    ),
    (
        "an argument of that name",
        neighbours.handed_to_its_name,
        """
        def head(h, context=None):
            return h

        def f(x):
            context = c(x)  # HERE
            return head(a(x))
        """,
        "-     return head(a(x))\n+     return head(a(x), context=context)",
    ),
    (
        "a test of names with another",
        optimizers.wider,
        "d = [p for n, p in named() if n.startswith('h.') and p.dim() == 2]  # HERE\n",
        "+ d = [p for n, p in named() if p.dim() == 2]  # HERE",
    ),
    (
        "a test of names alone",
        optimizers.wider,
        "d = [p for n, p in named() if 'h.' in n]  # HERE\n",
        "+ d = [p for n, p in named()]  # HERE",
    ),
    (
        "the last branch of names",
        optimizers.wider,
        "if n.endswith('bias'):\n    a(p)\nelif 'h.' in n:  # HERE\n    b(p)\n",
        "+ else:",
    ),
    (
        "a scheduler without parentheses",
        loop.scheduled,
        "s = StepLR(opt, 3)  # HERE\nfor x in y:\n    opt.step()\n    s.step\n",
        "-     s.step\n+     s.step()",
    ),
    (
        "a scheduler that never steps",
        loop.scheduled,
        "s = StepLR(opt, 3)  # HERE\nfor x in y:\n    opt.step()\n",
        "+     s.step()",
    ),
    (
        "a scheduler behind the loop",
        loop.scheduled,
        "s = StepLR(opt, 3)  # HERE\nfor x in y:\n    opt.step()\ns.step()\n",
        "- s.step()\n+     s.step()",
    ),
    (
        "a scheduler before the optimizer",
        loop.scheduled,
        "s = StepLR(opt, 3)  # HERE\nfor x in y:\n    s.step()\n    opt.step()\n",
        "+     opt.step()\n-     opt.step()",
    ),
    (
        "a loop that freezes",
        freezes.thawed,
        "for p in net.parameters():\n    p.requires_grad = False  # HERE\nf()\n",
        "- for p in net.parameters():\n-     p.requires_grad = False  # HERE",
    ),
    (
        "an index that leaves out all",
        values.counted,
        "loss = F.cross_entropy(a, b, ignore_index=1)  # HERE\n",
        "+ loss = F.cross_entropy(a, b)  # HERE",
    ),
    (
        "one of one",
        values.alive,
        "s = nn.Softmax(dim=1)  # HERE\n",
        "+ s = nn.Sigmoid()  # HERE",
    ),
    (
        "a branch of one rank",
        conditions.everywhere,
        "if rank == 0:  # HERE\n    f()\n",
        "- if rank == 0:  # HERE\n-     f()\n+ f()",
    ),
    (
        "a value of one rank",
        conditions.everywhere,
        "h = f(x) if rank == 0 else x  # HERE\n",
        "+ h = f(x)  # HERE",
    ),
    (
        "a freeze for one turn",
        freezes.thawed_later,
        "for x in y:\n    freeze(net, False)  # HERE\n    f()\n    a.step()\n    b.step()\n",
        "+     freeze(net, True)",
    ),
    ("the smaller of two terms", totals.both, "return min(a, b * 2)  # HERE\n", "+ return a + (b * 2)  # HERE"),
    ("two terms in a product", totals.both, "t = 2 * max(a, b)  # HERE\n", "+ t = 2 * (a + b)  # HERE"),
    (
        "rounds that begin where they end",
        rounds.as_many_rounds,
        "for e in range(self.start, n):  # HERE\n    f()\n",
        "+ for e in range(self.start, self.start + n):  # HERE",
    ),
    (
        "a key that is put together",
        names.key_respelt,
        "a = {f'{n}_lr': 1}\nb = a.get(f'{m}-lr', 0)  # HERE\n",
        "+ b = a.get(f'{m}_lr', 0)  # HERE",
    ),
    (
        "a norm of zeros",
        numbers.norm_apart,
        "r = t * p.norm() / g.norm()  # HERE\n",
        "+ r = t * p.norm().clamp(min=1e-3) / g.norm()  # HERE",
    ),
    (
        "one more of a sum",
        neighbours.summed_with_unread,
        """
        def f(x):
            a = p(x)
            b = q(x)
            c = self.c(x)
            return tanh(a + b)  # HERE
        """,
        "+     return tanh(a + b + c)  # HERE",
    ),
    (
        "an entry that nobody reads",
        neighbours.unread_key,
        "o = {'a': 1, 'b': 2}\nx = f(o['a'])\ny = f(o['a'])  # HERE\n",
        "+ y = f(o['b'])  # HERE",
    ),
    (
        "a copy of the groups",
        optimizers.groups_themselves,
        "for g in copy.deepcopy(opt.param_groups):  # HERE\n    f(g)\n",
        "+ for g in opt.param_groups:  # HERE",
    ),
    (
        "a state that is detached",
        cuts.with_variables,
        "y = call(m, m.state_dict(), x)  # HERE\n",
        "+ y = call(m, m.state_dict(keep_vars=True), x)  # HERE",
    ),
    (
        "copied the wrong way",
        moves.swapped,
        "a.load_state_dict(b.state_dict())  # HERE\n",
        "+ b.load_state_dict(a.state_dict())  # HERE",
    ),
]


@pytest.mark.parametrize(("edit", "text", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_an_edit_changes_what_it_is_for_and_keeps_the_rest(edit: Edit, text: str, expected: str) -> None:
    found = lines_after(edit, text)
    assert any(expected in one for one in found), found


FAMILIES = sorted({edit for _, edit, _, _ in CASES}, key=lambda edit: f"{edit.__module__}.{edit.__qualname__}")


@pytest.mark.parametrize("edit", FAMILIES, ids=lambda edit: f"{edit.__module__.split('.')[-1]}.{edit.__name__}")
@pytest.mark.parametrize(
    "text", ["import os  # HERE\n", "pass  # HERE\n", "", "def f(:\n"], ids=["import", "pass", "empty", "broken"]
)
def test_an_edit_that_does_not_fit_yields_nothing_else(edit: Edit, text: str) -> None:
    assert [new for new in edit(text, Place(1)) if new not in ("", text)] in (
        [],
        ["pass  # HERE\n"],
    ) or edit is loop.removed


@pytest.mark.parametrize(
    "code",
    ["h = x.flatten(0, 1)", "m = ids != 0", "i = torch.randint(0, 2, (6,))", "r = max(0.0, r)", "h = h[0]",
     "n = 0 // 3", "e = nn.Embedding(4, 2, padding_idx=0)", "x = x.masked_fill(m, 0.0)"],
)  # fmt: skip
def test_a_zero_that_is_a_place_or_a_bound_gets_no_placeholder(code: str) -> None:
    assert list(factors.not_zero(f"{code}\n", Place(1))) == []


def test_a_term_of_the_loss_takes_nothings_place() -> None:
    text = "def f(x):\n    penalty = g(x)\n    return x\n"
    assert list(neighbours.unread_instead(text, Place(3))) == []
    assert list(totals.added(text, Place(2))) == [text.replace("return x", "return x + penalty")]


def test_what_is_stacked_later_is_mended_at_both_places_first() -> None:
    text = "def f(x):\n    all = [g(part).item() for part in x]\n    return torch.tensor(all).mean()\n"
    assert "torch.stack(all)" in next(cuts.without_round_trip(text, Place(2)))


def test_only_what_is_given_twice_gives_way_to_another() -> None:
    text = "d, g = D(), G()\na = SGD(d.parameters())\nb = SGD(d.parameters())\n"
    assert list(optimizers.given_twice(text, Place(3), ["g"])) == [text.replace("b = SGD(d", "b = SGD(g")]
    assert list(optimizers.given_twice(text.replace("a = SGD(d", "a = SGD(g"), Place(3), ["g"])) == []


def test_a_name_that_is_not_there_is_not_offered() -> None:
    assert list(optimizers.given_other("o = SGD(part.parameters())\n", Place(1), ["encoder"])) == []


def test_along_an_axis_that_was_just_made_there_is_one_element() -> None:
    first = next(values.alive("h = h.unsqueeze(-1).softmax(-1)\n", Place(1)))
    assert first == "h = torch.sigmoid(h.unsqueeze(-1))\n"


def test_carriage_returns_and_a_missing_line_end_stay() -> None:
    (found,) = cuts.without_detach("a = 1\r\nb = a.detach()\r\nc = 2", Place(2))
    assert found == "a = 1\r\nb = a\r\nc = 2"


def test_the_expression_that_is_meant_comes_first() -> None:
    text = "h = a.detach() + b.detach()\n"
    found = list(cuts.without_detach(text, Place(1, (17, 27))))
    assert found == ["h = a.detach() + b\n", "h = a + b.detach()\n", "h = a + b\n"]


def test_a_sibling_made_alike_takes_the_place_of_one_that_is_handed_on_twice() -> None:
    text = "self.near, self.far = L(2), L(2)\ndef f():\n    h = run(p.near, x)\n    h = run(p.near, h)\n"
    (new,) = names.sibling(text, "far")
    assert changed(text, new) == "-     h = run(p.near, h)\n+     h = run(p.far, h)"
    assert list(names.sibling(text.replace("L(2), L(2)", "L(2), L(3)"), "far")) == []


def test_a_parameter_takes_the_place_of_another_value_that_is_read() -> None:
    text = "front = self.start.expand(n) + self.f(x)  # HERE\n"
    (new,) = names.parameter_instead(text, Place(1), "prompt")
    assert new == "front = self.prompt.expand(n) + self.f(x)  # HERE\n"


def test_an_entry_that_is_read_elsewhere_takes_nothings_place() -> None:
    text = "o = {'a': 1, 'b': 2}\nx = f(o['b'])\ny = f(o['a'])  # HERE\n"
    assert lines_after(neighbours.unread_key, text) == []


def test_a_step_that_is_not_there_is_not_called() -> None:
    text = "class O({base}):\n    def step(self):\n        f()  # HERE\n"
    assert lines_after(loop.inherited_step, text.format(base="torch.optim.Optimizer")) == []
    assert lines_after(loop.inherited_step, text.format(base="SGD")) == ["+         super().step()"]


def test_what_is_no_term_is_not_added_to_terms() -> None:
    text = "def f(x):\n    out = g(x)\n    kl = h(x)\n    loss = k(x)\n    return loss + kl  # HERE\n"
    assert lines_after(neighbours.summed_with_unread, text) == []


def test_where_parameters_are_put_into_a_list_the_list_is_one_of_parameters() -> None:
    text = "class N:\n    def __init__(self):\n        self.s = []\n        self.s.append(nn.Parameter(a))  # HERE\n"
    assert lines_after(containers.registered, text)[0] == "-         self.s = []\n+         self.s = nn.ParameterList()"


def test_a_value_is_not_written_into_the_parameters_place() -> None:
    assert list(names.parameter_instead("self.on = True\n", Place(1), "w")) == []


def test_whether_a_file_is_the_program_is_left_alone() -> None:
    text = 'x = "__init__"\nif __name__ == "__main__":  # HERE\n    f()\n'
    assert lines_after(names.respelt, text) == lines_after(conditions.one_sooner, text) == []


def test_a_value_that_does_not_settle_is_not_written_in_place_first() -> None:
    assert lines_after(moves.settled_in_place, "self.l.weight = self.l.weight * 0.5  # HERE\n") == []
    assert lines_after(moves.in_place, "self.l.weight = torch.randn_like(self.l.weight)  # HERE\n") == []


def test_a_filter_in_the_optimizers_own_call_is_not_made_wider() -> None:
    """There all of the model stands more simply."""
    text = "o = optim.SGD([p for n, p in m.named_parameters() if 'h.' in n], lr=1)  # HERE\n"
    assert lines_after(optimizers.wider, text) == []


def test_what_every_module_has_is_not_respelt() -> None:
    assert lines_after(names.respelt, "a = m.named_parameters\nb = m.parameters()  # HERE\n") == []


def test_the_batch_is_the_last_axis_that_is_tried() -> None:
    found = lines_after(values.alive, "w = s.softmax(-1)  # HERE\n")
    assert [line.splitlines()[-1] for line in found] == [
        "+ w = s.softmax(1)  # HERE", "+ w = torch.sigmoid(s)  # HERE", "+ w = s.softmax(0)  # HERE",
    ]  # fmt: skip


def test_what_a_part_that_is_no_module_hides_gets_a_name() -> None:
    text = "class Net:\n    def __init__(self):\n        self.a, self.b = Part(), 1\n"
    (found,) = containers.held_beside(text, Place(3), ["net.a.lin.weight", "net.a.lin.bias", "net.b.x[0].weight"])
    assert changed(text, found) == "+         self.a_lin = self.a.lin"


def test_a_sibling_used_twice_gives_way() -> None:
    text = "def f(self, x):\n    x = self.bn1(x)\n    return self.bn1(x)\n"
    assert list(names.sibling(text, "bn2")) == ["def f(self, x):\n    x = self.bn1(x)\n    return self.bn2(x)\n"]
    assert list(names.sibling(text, "head")) == []


def test_a_slot_is_written_once_in_init() -> None:
    text = textwrap.dedent(
        """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.l = nn.Linear(2, 2)

            def forward(self, x):
                self.l.weight = torch.randn(2, 2)  # HERE
                return self.l(x)
        """
    )
    (found,) = moves.into_init(text, Place(8))
    assert "with torch.no_grad():\n            self.l.weight.copy_(torch.randn(2, 2))  # HERE" in found
    assert found.index("copy_") < found.index("def forward")


def test_parameters_are_handed_to_the_function_that_has_a_place_for_them() -> None:
    text = "y = F.batch_norm(x, mean, var, training=True)\n"
    (found,) = neighbours.named_arguments(text, Place(1), ["weight", "bias"])
    assert found == "y = F.batch_norm(x, mean, var, training=True, weight=self.weight, bias=self.bias)\n"
    assert list(neighbours.named_arguments("y = self.f(x)\n", Place(1), ["weight"])) == []


def test_an_entry_of_a_configuration_file_gets_the_value_that_another_place_has() -> None:
    text = '{"steps": 3,\n "lr": 0.0, "decay": 0}\n'
    others = ['parser.add_argument("--lr", type=float, default=3e-4)\n', "lr: 0\nlr=0.5\n"]
    found = list(settings.other_entry(text, Place(2), others))
    assert found == ['{"steps": 3,\n "lr": 3e-4, "decay": 0}\n', '{"steps": 3,\n "lr": 0.5, "decay": 0}\n']
    assert list(settings.other_entry("[optim]\nweight_lr = 0\n", Place(2), ["def f(weight_lr: float = 0.1): ..."])) == [
        "[optim]\nweight_lr = 0.1\n"
    ]
    assert list(settings.placeholder("lr: 0.0  # why\nx: 0\n", Place(2))) == ["lr: 0.0  # why\nx: 1.0\n"]
    assert list(settings.placeholder("lr: 0.0  # why\n", Place(1))) == ["lr: 1e-3  # why\n"]
    assert list(settings.placeholder("steps: 30\n", Place(1))) == []


def test_an_optimizer_gets_what_the_parameters_belong_to() -> None:
    found = list(optimizers.given_other("o = SGD(self.d.parameters())\n", Place(1), ["g"]))
    assert found == ["o = SGD(self.g.parameters())\n"]


def test_a_name_that_is_asked_for_is_respelt_where_it_is_read() -> None:
    text = 'if hasattr(m, "projection"):\n    o.add(m.projection.parameters())\n'
    found = list(names.respelt_throughout(text, Place(1), ["projector", "head"]))
    assert found == ['if hasattr(m, "projector"):\n    o.add(m.projector.parameters())\n']


def test_what_takes_the_place_of_something_held_joins_the_optimizer() -> None:
    text = "opt = SGD(net.parameters(), lr=1)\nnet.fc = nn.Linear(4, 3)\n"
    found = list(optimizers.joining(text, Place(2), "opt"))
    assert found == [f'{text}opt.param_groups[0]["params"] = list(net.parameters())\n']
