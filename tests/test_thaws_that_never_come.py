"""What is to be trained later, and never is: nobody thaws it, asks for it, or gives it to the optimizer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import codes, judged, left_alone, line_of, verdicts

pytestmark = pytest.mark.usefixtures("first_step_paid")
HEAD = """
import json

import torch
from torch import nn

torch.manual_seed(0)
"""
NET = """
net = nn.ModuleDict({"stem": nn.Linear(4, 4), "body": nn.Linear(4, 4), "head": nn.Linear(4, 1)})
"""
STEP = """
    hidden = torch.tanh(net["body"](torch.tanh(net["stem"](torch.randn(8, 4)))))
    loss = (net["head"](hidden) - 1).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
RELEASED = f"""{HEAD}

class Release:
    def __init__(self, schedule):
        self.schedule = schedule

    def on_epoch_start(self, net, epoch):
        WAY

{NET}
net.requires_grad_(False)
net["head"].requires_grad_(True)
callbacks = [Release(TABLE)]
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(4):
    for hook in ("on_epoch_start",):
        for callback in callbacks:
            getattr(callback, hook)(net, epoch)
{STEP}"""
TEXTS = """json.loads('{"1": ["body"], "2": ["stem"]}')"""
NUMBERS = '{1: ["body"], 2: ["stem"]}'
WAYS = {
    "in the loop": """for name in self.schedule.get(ASKED, ()):  # blamed
            net[name].requires_grad_(True)""",
    "by a variable": """names = self.schedule.get(ASKED)  # blamed
        if names is not None:
            for name in names:
                net[name].requires_grad_(True)""",
    "by a test": """if ASKED not in self.schedule:  # blamed
            return
        for parameter in net[self.schedule[ASKED][0]].parameters():
            parameter.requires_grad = True""",
}
ASKED = {"numbers": (TEXTS, "epoch"), "texts": (NUMBERS, "str(epoch)")}
RIGHT = {"numbers": (NUMBERS, "epoch"), "texts": (TEXTS, "str(epoch)")}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ASKED)
def test_a_schedule_whose_keys_are_of_another_kind_than_what_is_asked_for(kind: str, way: str, tmp_path: Path) -> None:
    for table, asked in (ASKED[kind], RIGHT[kind]):
        report = judged(tmp_path, RELEASED.replace("WAY", WAYS[way]).replace("TABLE", table).replace("ASKED", asked))
        is_right = (table, asked) == RIGHT[kind]
        assert set(verdicts(report).values()) == ({"trained"} if is_right else {"trained", "frozen"})
        assert len(codes(report)) == (0 if is_right else 1)
        for finding in report.findings:
            assert line_of(finding).endswith("# blamed")
            assert f"The keys are {'texts' if kind == 'numbers' else 'numbers'}: ask for" in finding.fix


@pytest.mark.slow
def test_plain_training_never_releases_what_is_asked_for_in_another_kind() -> None:
    for kind in ASKED:
        for table, asked in (ASKED[kind], RIGHT[kind]):
            text = RELEASED.replace("WAY", WAYS["in the loop"]).replace("TABLE", table).replace("ASKED", asked)
            assert (left_alone(text) > 0) is ((table, asked) == ASKED[kind])


TOLD = f"""{HEAD}

class State:
    def __init__(self):
        self.epoch, self.step = 0, 0


class Unfreeze:
    def __init__(self, at):
        self.at = at
        self.epoch = 0

    def on_epoch(self, net, state):
        if TEST:  # test
            net["body"].requires_grad_(True)


class Trainer:
    def __init__(self, net, callbacks):
        self.net, self.callbacks, self.state = net, callbacks, STATE
        self.optimizer = torch.optim.SGD(net.parameters(), lr=0.1)

    def notify(self, event):
        for callback in self.callbacks:
            getattr(callback, event)(self.net, self.state)

    def fit(self, epochs):
        for epoch in range(epochs):  # loop
            WRITE
            self.notify("on_epoch")
            self.run_epoch()

    def run_epoch(self):
        loss = (self.net["head"](torch.tanh(self.net["body"](torch.randn(8, 4)))) - 1).square().mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()


net = nn.ModuleDict({{"body": nn.Linear(4, 4), "head": nn.Linear(4, 1)}})
net["body"].requires_grad_(False)
trainer = Trainer(net, [Unfreeze(AT)])
trainer.fit(4)
"""
ATTRIBUTE = ("State()", "state.epoch == self.at", "self.state.epoch = epoch")
ENTRY = ('{"epoch": 0}', 'state["epoch"] >= self.at', 'self.state["epoch"] = epoch')
OWN = ("State()", "self.epoch == self.at", "self.callbacks[0].epoch = epoch")


@pytest.mark.parametrize(
    ("way", "at", "is_written", "blamed"),
    [
        pytest.param(ATTRIBUTE, 2, False, "# loop", id="an attribute"),
        pytest.param(ENTRY, 2, False, "# loop", id="an entry"),
        pytest.param(ATTRIBUTE, 9, False, "# test", id="too late in any case"),
        pytest.param(OWN, 2, False, "# test", id="what an object may count itself"),
        pytest.param(ATTRIBUTE, 2, True, "", id="an attribute that is written"),
        pytest.param(ENTRY, 2, True, "", id="an entry that is written"),
    ],
)
def test_a_counter_that_nobody_writes_where_it_is_asked_for(
    way: tuple[str, str, str], at: int, is_written: bool, blamed: str, tmp_path: Path
) -> None:
    state, test, write = way
    text = TOLD.replace("STATE", state).replace("TEST", test).replace("AT", str(at))
    report = judged(tmp_path, text.replace("WRITE", write if is_written else "pass"))
    assert codes(report) == ([] if is_written else ["FXA306"])
    for finding in report.findings:
        assert line_of(finding).endswith(blamed)
        assert ("nobody writes the `epoch` of this loop" in finding.message) is (blamed == "# loop")


HOOKED = f"""{HEAD}

def switch(module, flag):
    for parameter in module.parameters():
        parameter.requires_grad = flag


class Callback:
    HOOKS


class Unfreeze(BASE):
    def HOOK(self, trainer, net):  # hook
        if trainer.epoch == 1:
            THAW


class Trainer:
    def __init__(self, net, callbacks):
        self.net, self.callbacks, self.epoch = net, callbacks, 0
        self.optimizer = torch.optim.SGD(net.parameters(), lr=0.1)

    def fire(self, event):
        for callback in self.callbacks:
            if hasattr(callback, event):
                getattr(callback, event)(self, self.net)

    def fit(self, epochs):
        self.fire("on_fit_start")
        for self.epoch in range(epochs):
            self.fire("on_train_epoch_start")
            loss = (self.net["head"](torch.tanh(self.net["body"](torch.randn(8, 4)))) - 1).square().mean()
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.fire("on_train_epoch_end")


class Net(nn.ModuleDict):
    def unfreeze_body(self):
        for parameter in self["body"].parameters():
            parameter.requires_grad = True


net = Net({{"body": nn.Linear(4, 4), "head": nn.Linear(4, 1)}})
net["body"].requires_grad_(False)
Trainer(net, [USED()]).fit(4)
"""
HOOKS = "\n    ".join(
    f"def {name}(self, trainer, net): ..." for name in ("on_fit_start", "on_train_epoch_start", "on_train_epoch_end")
)
LOOP_THAW = """for parameter in net["body"].parameters():
                parameter.requires_grad = True"""
WARNED, NOTED = "nobody calls `{}`; ", "though frozen"


@pytest.mark.parametrize(
    ("hook", "changes", "says"),
    [
        pytest.param("on_epoch_start", {}, WARNED, id="a word is missing"),
        pytest.param("on_train_epoch_begin", {"BASE": "object"}, WARNED, id="another last word"),
        pytest.param("on_epoch_start", {"THAW": "net.unfreeze_body()"}, WARNED, id="by a method of the net"),
        pytest.param("on_epoch_start", {"THAW": 'switch(net["body"], True)'}, WARNED, id="by a helper"),
        pytest.param("release_later", {}, NOTED, id="a method that is there for others"),
        pytest.param("on_epoch_start", {"USED": "Callback"}, NOTED, id="a class that nobody uses"),
        pytest.param(
            "on_epoch_start", {"HOOKS": HOOKS.replace("fit", "epoch")}, NOTED, id="a hook that the trainer should fire"
        ),
        pytest.param("on_train_epoch_start", {}, "", id="the name that is asked for"),
        pytest.param("on_train_epoch_start", {"BASE": "object"}, "", id="asked for without a base class"),
    ],
)
def test_a_hook_that_is_asked_for_by_another_name(
    hook: str, changes: dict[str, str], says: str, tmp_path: Path
) -> None:
    text = HOOKED
    for word, value in ({"HOOKS": HOOKS, "BASE": "Callback", "THAW": LOOP_THAW, "USED": "Unfreeze"} | changes).items():
        text = text.replace(word, value)
    report = judged(tmp_path, text.replace("HOOK", hook))
    assert codes(report) == (["FXA306"] if says else [])
    for finding in report.findings:
        assert says.format(hook) in finding.message
        assert line_of(finding).endswith("# hook") is (says == WARNED)
        assert finding.level == ("warning" if says == WARNED else "note")


PAIRED = f"""{HEAD}

def switch(net, flag):
    for parameter in net.parameters():
        parameter.requires_grad = flag


class Game(nn.Module):
    def __init__(self):
        super().__init__()
        self.maker, self.judge_a, self.judge_b = nn.Linear(4, 4), nn.Linear(4, 1), nn.Linear(4, 1)


game = Game()
makers = torch.optim.SGD(game.maker.parameters(), lr=0.1)
judges = torch.optim.SGD([*game.judge_a.parameters(), *game.judge_b.parameters()], lr=0.1)


def told(x):
    return game.judge_a(x) + game.judge_b(x)


for epoch in range(4):
    FREEZE(game.judge_a)
    FREEZE(game.judge_b)
    makers.zero_grad()
    told(game.maker(torch.randn(8, 4))).square().mean().backward()
    makers.step()
    THAW
    judges.zero_grad()
    (told(game.maker(torch.randn(8, 4)).detach()) - 1).square().mean().backward()
    judges.step()
"""
FORMS = {
    "a helper": ("switch({}, False)", "switch({}, True)"),
    "a method": ("{}.requires_grad_(False)", "{}.requires_grad_(True)"),
    "a loop": tuple(
        f"for parameter in {{}}.parameters():\n        parameter.requires_grad = {flag}" for flag in (False, True)
    ),
}
BLAMED = {"judge_a": 0, "judge_b": 1}
"""Of two thaws the one that should name it."""


def _paired(form: str, thawed: tuple[str, ...]) -> str:
    freeze, thaw = FORMS[form]
    text = PAIRED
    for judge in ("judge_a", "judge_b"):
        text = text.replace(f"FREEZE(game.{judge})", freeze.format(f"game.{judge}"))
    return text.replace("THAW", "\n    ".join(thaw.format(f"game.{judge}") for judge in thawed))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("left", [None, "judge_a", "judge_b"])
def test_one_is_thawed_twice_and_the_other_never(form: str, left: str | None, tmp_path: Path) -> None:
    other = "judge_b" if left == "judge_a" else "judge_a"
    text = _paired(form, ("judge_a", "judge_b") if left is None else (other, other))
    report = judged(tmp_path, text)
    assert codes(report) == ([] if left is None else ["FXA306"])
    for finding in report.findings:
        assert finding.level == "warning" and f"should unfreeze `{left}`" in finding.message
        assert {name.split(".")[-2] for name in finding.parameters} == {left}
        thaw = FORMS[form][1].format(f"game.{other}").splitlines()[0]
        places = [number for number, line in enumerate(text.splitlines(), 1) if line.strip() == thaw]
        assert finding.culprit is not None and finding.culprit.line == places[-2:][BLAMED[str(left)]]


def test_what_is_not_thawed_beside_one_that_is_thawed_once_may_be_meant(tmp_path: Path) -> None:
    report = judged(tmp_path, _paired("a helper", ("judge_a",)))
    assert [finding.level for finding in report.findings] == ["note"]


@pytest.mark.slow
def test_plain_training_leaves_the_one_that_is_never_thawed() -> None:
    for form in FORMS:
        assert left_alone(_paired(form, ("judge_a", "judge_b"))) == 0
        assert left_alone(_paired(form, ("judge_a", "judge_a"))) == 2 / 6


GROWN = f"""{HEAD}

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.heads = nn.Linear(4, 4), nn.ModuleDict()

    def add_head(self, task):
        self.heads[task] = nn.Linear(4, 1)

    def forward(self, x, task):
        return self.heads[task](torch.tanh(self.body(x)))


def build(net):
    return torch.optim.SGD(net.parameters(), lr=0.1)


class Learner:
    def __init__(self, net):
        self.net = net
        EARLY
        self.optimizer = build(net)
        LATE

    def grow(self, task):
        self.net.add_head(task)  # grown
        AGAIN

    def begin_task(self, task):
        self.grow(task)

    def step(self, task):
        loss = (self.net(torch.randn(8, 4), task) - 1).square().mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()


net = Net()
learner = Learner(net)
MAIN
for epoch in range(4):
    learner.step("0")
"""
TASK, OWN, ADDED = 'learner.begin_task("0")', 'self.grow("0")', "self.optimizer.add_param_group({'params': "
GROWING = {
    "by its own method": ({"MAIN": TASK}, "# grown"),
    "by the constructor, too late": ({"LATE": OWN}, "self.optimizer = build(net)"),
    "by the program": ({"MAIN": 'net.add_head("0")'}, "learner = Learner(net)"),
    "and added": ({"MAIN": TASK, "AGAIN": f"{ADDED}self.net.heads[task].parameters()}})"}, ""),
    "and built anew": ({"MAIN": TASK, "AGAIN": "self.optimizer = build(self.net)"}, ""),
    "by the constructor, in time": ({"EARLY": OWN}, ""),
}


def _grown(way: str) -> str:
    text = GROWN
    for word, value in ({"EARLY": "pass", "LATE": "pass", "AGAIN": "pass", "MAIN": ""} | GROWING[way][0]).items():
        text = text.replace(word, value)
    return text


@pytest.mark.parametrize("way", GROWING)
def test_what_an_object_makes_after_its_constructor_has_built_the_optimizer(way: str, tmp_path: Path) -> None:
    report = judged(tmp_path, _grown(way))
    blamed = GROWING[way][1]
    assert codes(report) == (["FXA301"] if blamed else [])
    for finding in report.findings:
        assert line_of(finding).endswith(blamed)
        assert ("`self.optimizer.add_param_group(" in finding.fix) is (blamed == "# grown")


@pytest.mark.slow
def test_plain_training_leaves_what_was_made_after_the_optimizer() -> None:
    assert {way: left_alone(_grown(way)) for way in GROWING} == {
        way: (1 / 2 if blamed else 0) for way, (_, blamed) in GROWING.items()
    }


# -- what a new part of a model is frozen with -------------------------------------------------------------------------

ADAPTED = f"""{HEAD}

class Adapted(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.layer, self.adapter = layer, nn.Linear(4, 4)

    def forward(self, x):
        h = self.layer(x)
        return h + self.adapter(h)


def freeze(module):
    for parameter in module.parameters():
        parameter.requires_grad = False


def adapt(net):
    net["body"] = Adapted(net["body"])


def build(net):
    net.load_state_dict({{name: value + 0.1 for name, value in net.state_dict().items()}})
    ORDER
    return net

{NET}
net = build(net)
head = nn.Linear(4, 1)
optimizer = torch.optim.SGD([p for p in [*net.parameters(), *head.parameters()] if p.requires_grad], lr=0.1)
for epoch in range(4):
    loss = (head(net["body"](net["stem"](torch.randn(8, 4)))) - 1).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""


def test_what_is_put_in_before_the_rest_is_frozen_is_told(tmp_path: Path) -> None:
    text = ADAPTED.replace("ORDER", "adapt(net)\n    freeze(net)  # blamed")
    report = judged(tmp_path, text)
    (finding,) = report.findings
    assert (finding.code, finding.level) == ("FXA306", "warning")
    assert finding.parameters == ("net.body.adapter.weight", "net.body.adapter.bias")
    assert line_of(finding) == "freeze(net)  # blamed"


@pytest.mark.parametrize("order", ["freeze(net)\n    adapt(net)", "freeze(net)"])
def test_what_is_frozen_before_is_no_matter(order: str, tmp_path: Path) -> None:
    assert not judged(tmp_path, ADAPTED.replace("ORDER", order)).findings


# -- kinds of modules that a model need not have -----------------------------------------------------------------------

NORMS = f"""{HEAD}

def freeze(net, kind):
    net.requires_grad_(False)
    for module in net.modules():
        if isinstance(module, kind):
            module.requires_grad_(True)

{NET}
WHAT
free = nn.Linear(1, 1)
optimizer = torch.optim.SGD([*net.parameters(), *free.parameters()], lr=0.1)
for epoch in range(4):
    hidden = torch.tanh(net["body"](torch.tanh(net["stem"](torch.randn(8, 4)))))
    loss = (USED(net["head"](hidden)) - 1).square().mean()
    optimizer.zero_grad()
    loss.backward() if loss.requires_grad else None
    optimizer.step()
"""
ALONE = 'freeze(nn.Sequential(net["stem"], net["body"], net["head"]), nn.LayerNorm)'


@pytest.mark.parametrize(("used", "level"), [("free", "note"), ("", "warning")])
def test_a_thaw_of_a_kind_that_the_model_lacks_alarms_only_where_nothing_trains(
    used: str, level: str, tmp_path: Path
) -> None:
    report = judged(tmp_path, NORMS.replace("WHAT", ALONE).replace("USED", used))
    assert [finding.level for finding in report.findings if finding.code == "FXA308"] == [level]


# -- a turn in which a parameter has nothing to gain -------------------------------------------------------------------

TURNS = f"""{HEAD}
critic, maker = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1)), nn.Linear(4, 4)
of_critic = torch.optim.SGD(critic.parameters(), lr=0.1)
of_maker = torch.optim.SGD(maker.parameters(), lr=0.1)


def toggle(flag):
    for parameter in critic.parameters():
        parameter.requires_grad = flag


for epoch in range(4):
    made, real = maker(torch.randn(8, 4)), torch.randn(8, 4)
    toggle(True)
    loss = critic(made.detach()).mean() - critic(real).mean()
    of_critic.zero_grad()
    loss.backward()
    of_critic.step()
    toggle(False)
    loss = -critic(made).mean()
    of_maker.zero_grad()
    loss.backward()
    of_maker.step()
"""


def test_a_turn_of_steps_with_a_gradient_of_zero_is_no_thaw_in_vain(tmp_path: Path) -> None:
    report = judged(tmp_path, TURNS)
    assert verdicts(report)["critic.2.bias"] == "frozen"  # its gradient is 1 - 1
    assert not [finding for finding in report.findings if finding.level != "note"]


# -- thaws that nobody has to ask for ----------------------------------------------------------------------------------

RESUMED = f"""{HEAD}
class Thaw:
    def __init__(self, net):
        self.net = net

    def on_HOOK(self):
        self.net["body"].requires_grad_(True)

{NET}
resumed, callbacks = False, [Thaw(net)]
net["body"].requires_grad_(False)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
event = "resume" if resumed else "start"
for callback in callbacks:
    hook = getattr(callback, f"on_{{event}}", None)
    if hook is not None:
        hook()
for epoch in range(4):
{STEP}"""


@pytest.mark.parametrize(("hook", "level"), [("resume", "note"), ("begin", "warning")])
def test_a_hook_whose_name_may_be_put_together_waits_for_its_event(hook: str, level: str, tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, RESUMED.replace("HOOK", hook)).findings
    assert (finding.code, finding.level) == ("FXA306", level)
    assert ("nobody calls" in finding.message) == (level == "warning")


OFFERED = f"""{HEAD}
class Base(nn.Module):
    def SIBLING(self):
        THAWS

    def forward(self, x):
        return self.head(torch.tanh(self.body(x)))


class Net(Base):
    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(4, 4), nn.Linear(4, 1)
        self.body.requires_grad_(False)

    def train_body(self):
        self.body.requires_grad_(True)


net = Net()
net.SIBLING()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(4):
    loss = (net(torch.randn(8, 4)) - 1).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""


@pytest.mark.parametrize(
    ("sibling", "thaws", "level"),
    [("train_step", "return self", "note"), ("train_head", "self.head.requires_grad_(True)", "warning")],
)
def test_a_method_of_a_model_is_missed_only_where_another_one_thaws_in_its_place(
    sibling: str, thaws: str, level: str, tmp_path: Path
) -> None:
    (finding,) = judged(tmp_path, OFFERED.replace("SIBLING", sibling).replace("THAWS", thaws)).findings
    assert (finding.code, finding.level) == ("FXA306", level)


# -- a flag that another object tells ----------------------------------------------------------------------------------

GIVEN_BY_ANOTHER = f"""{HEAD}
class Schedule:
    def __init__(self, release_after):
        self.release_after = release_after

    def is_free(self, epoch):
        return epoch >= self.release_after

{NET}
RELEASE = NUMBER  # blamed
schedule = Schedule(RELEASE)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(6):
    net["body"].requires_grad_(schedule.is_free(epoch))
{STEP}"""


@pytest.mark.parametrize("number", ["40", "4"])
def test_a_flag_that_an_object_gives_by_a_counter_that_never_comes_so_far(number: str, tmp_path: Path) -> None:
    report = judged(tmp_path, GIVEN_BY_ANOTHER.replace("NUMBER", number))
    assert codes(report) == (["FXA306"] if number == "40" else [])
    assert verdicts(report)["body.weight"] == ("frozen" if number == "40" else "trained")
    for finding in report.findings:
        assert (line_of(finding), finding.level) == ("RELEASE = 40  # blamed", "warning")
