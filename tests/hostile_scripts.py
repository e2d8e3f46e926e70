"""Scripts of which each does something that nobody expects; what is true of their training stands beside them."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field
from textwrap import dedent

__all__ = ["HOSTILE", "Hostile"]

SETUP = """\
import torch
from torch import nn
torch.manual_seed(0)
body, head = nn.Linear(3, 3), nn.Linear(3, 1)
optimizer = torch.optim.SGD([*body.parameters(), *head.parameters()], 0.1)
x = torch.ones(2, 3)
def step():
    optimizer.zero_grad()
    loss = head(body(x).detach()).square().mean()
    loss.backward()
    optimizer.step()
    return loss.item()
def end():
    print("end", [float(p.detach().float().sum()) for p in (*body.parameters(), *head.parameters())])
"""
CUT = {"body": "unreachable", "head": "trained"}
ALL = {"body": "trained", "head": "trained"}
CONNECTED = SETUP.replace(".detach()).square()", ").square()")


@dataclass(frozen=True)
class Hostile:
    """A script, with the files beside it and how it is started; `verdicts`: the first part of a name → what is true."""

    text: str | bytes
    verdicts: dict[str, str] = field(default_factory=lambda: dict(CUT))
    files: dict[str, str | bytes] = field(default_factory=dict)
    name: str = "train.py"
    module: str = ""
    arguments: tuple[str, ...] = ()

    def written(self) -> dict[str, bytes]:
        """All files by their names."""
        files = {self.name: self.text, **self.files}
        return {name: text if isinstance(text, bytes) else text.encode() for name, text in files.items()}


def script(text: str, **options: object) -> Hostile:
    """The usual training, and then `text`."""
    return Hostile(SETUP + dedent(text), **options)  # type: ignore[arg-type]


def whole(text: str, **options: object) -> Hostile:
    """`text`, in which SETUP and CONNECTED stand for themselves."""
    text = dedent(text).replace("CONNECTED\n", CONNECTED).replace("SETUP\n", SETUP)
    return Hostile(text, **options)  # type: ignore[arg-type]


def zipped(**files: str) -> bytes:
    """A zip of Python modules."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"{name}.py", text)
    return held.getvalue()


MODULE = "from torch import nn\nclass Net(nn.Linear):\n    pass\n"
LOOP = "for _ in range(4): step()\nend()\n"

ENDS = {
    "an atexit handler that raises": script(
        "import atexit\ndef raises(): raise ValueError('late')\natexit.register(raises)\n" + LOOP
    ),
    "an atexit handler that trains": script("import atexit\natexit.register(lambda: (step(), end()))\n" + LOOP),
    "an atexit handler that exits": script("import atexit, sys\natexit.register(lambda: sys.exit(9))\n" + LOOP),
    "exit with a text": script(LOOP + "import sys; sys.exit('enough')\n"),
    "exit with 300": script(LOOP + "raise SystemExit(300)\n"),
    "exit with -1": script(LOOP + "raise SystemExit(-1)\n"),
    "exit with True": script(LOOP + "raise SystemExit(True)\n"),
    "exit with a tuple": script(LOOP + "raise SystemExit((1, 2))\n"),
    "exit with an object whose str raises": script(
        LOOP + "class E:\n    def __str__(self): raise ValueError('no')\nraise SystemExit(E())\n"
    ),
    "exit in a finally": script("try:\n    step(); step()\n    1 / 0\nfinally:\n    end(); raise SystemExit(3)\n"),
    "exit in a thread": script(
        """
        import sys, threading
        thread = threading.Thread(target=lambda: sys.exit(5)); thread.start(); thread.join()
        for _ in range(4): step()
        end()
        """
    ),
    "exit in a hook": script(
        """
        import sys
        def hook(*_): end(); sys.exit(6)
        step(); step()
        head.weight.register_hook(hook)
        step()
        """
    ),
    "exit in a destructor": script(
        "import sys\nclass D:\n    def __del__(self): sys.exit(4)\n" + "d = D(); del d\n" + LOOP
    ),
    "a BaseException of its own": script(LOOP + "class Stop(BaseException): pass\nraise Stop('so')\n"),
    "an exception group": script(LOOP + "raise ExceptionGroup('two', [ValueError(1), KeyError(2)])\n"),
    "an exception without a traceback": script(
        LOOP + "try: 1 / 0\nexcept ZeroDivisionError as e: raise e.with_traceback(None) from None\n"
    ),
    "an exception that is its own cause": script(
        LOOP + "e = ValueError('me'); f = KeyError('you'); e.__cause__ = f; f.__cause__ = e\nraise e\n"
    ),
    "an exception with notes": script(LOOP + "e = ValueError('me'); e.add_note('noted'); raise e\n"),
    "an excepthook of its own": script(
        "import sys\nsys.excepthook = lambda kind, *_: print('hooked', kind.__name__)\n" + LOOP + "1 / 0\n"
    ),
    "an excepthook that raises": script(
        "import sys\ndef hook(*_): raise KeyError('worse')\nsys.excepthook = hook\n" + LOOP + "1 / 0\n"
    ),
    "a thread that outlives the script": script(
        """
        import threading, time
        ended = threading.Event()
        threading.Thread(target=lambda: (ended.wait(), time.sleep(0.2), print("late"))).start()
        for _ in range(4): step()
        end()
        ended.set()
        """
    ),
    "a daemon thread without end": script(
        """
        import threading, time
        def forever():
            while True: time.sleep(0.01)
        threading.Thread(target=forever, daemon=True).start()
        for _ in range(4): step()
        end()
        """
    ),
    "recursion without end": script(
        "def deeper(): return deeper() + 1\ntry: deeper()\nexcept RecursionError: print('deep')\n" + LOOP
    ),
    "a small recursion limit": script("import sys\nsys.setrecursionlimit(160)\n" + LOOP),
    "a KeyboardInterrupt of its own": script(
        "step(); step(); end()\ntry: raise KeyboardInterrupt\nexcept KeyboardInterrupt: print('caught')\nstep()\n"
    ),
    "an alarm in the loop": script(
        """
        import signal
        def ring(*_): print("rung")
        signal.signal(signal.SIGALRM, ring)
        step()
        signal.raise_signal(signal.SIGALRM)
        step(); end()
        """
    ),
}

PYTHON = {
    "sys.settrace": script(
        """
        import sys
        calls = []
        def trace(frame, event, arg):
            calls.append(event)
            return trace
        sys.settrace(trace); step(); sys.settrace(None)
        print(len(calls) > 5, sys.gettrace())
        for _ in range(3): step()
        end()
        """
    ),
    "sys.setprofile": script(
        """
        import sys
        calls = []
        def profile(frame, event, arg):
            if frame.f_code.co_filename == __file__: calls.append(frame.f_code.co_name)
        sys.setprofile(profile); step(); sys.setprofile(None)
        print(calls.count("step"))
        for _ in range(3): step()
        end()
        """
    ),
    "cProfile": script("import cProfile\np = cProfile.Profile()\np.enable(); step(); p.disable()\n" + LOOP),
    "an open that refuses": script(
        "import builtins\ndef no(*_, **__): raise PermissionError('no open')\nbuiltins.open = no\n" + LOOP
    ),
    "a print of its own": script(
        "import builtins\nold = print\nbuiltins.print = lambda *a, **k: old('>', *a, **k)\n" + LOOP
    ),
    "an import of its own": script(
        """
        import builtins
        old = builtins.__import__
        def load(name, *a, **k):
            return old(name, *a, **k)
        builtins.__import__ = load
        import json
        for _ in range(4): step()
        end()
        """
    ),
    "builtins that are wrapped": script(
        """
        import builtins
        def wrapped(function): return lambda *a, **k: function(*a, **k)
        for name in ("len", "id", "sorted", "max", "min", "sum", "getattr", "hasattr", "repr", "iter", "next"):
            setattr(builtins, name, wrapped(getattr(builtins, name)))
        for _ in range(4): step()
        end()
        """
    ),
    "a builtin name as a variable": script(
        "list = dict = set = id = len = type = isinstance = print_ = None\nfor _ in (0, 1, 2): step()\nend()\n"
    ),
    "os.chdir": script("import os\nos.mkdir('inner'); os.chdir('inner')\n" + LOOP),
    "a folder that is gone": script(
        "import os\nos.mkdir('inner'); os.chdir('inner'); os.rmdir('../inner')\n" + LOOP + "os.chdir('..')\n"
    ),
    "os.fork": script(
        """
        import os
        step()
        child = os.fork()
        if child == 0:
            step(); os._exit(3)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        for _ in range(3): step()
        end()
        """
    ),
    "multiprocessing with fork": script(
        """
        import multiprocessing as mp
        context = mp.get_context("fork")
        def work(queue): queue.put(torch.ones(2).sum().item())
        queue = context.SimpleQueue()
        p = context.Process(target=work, args=(queue,)); p.start(); print(queue.get()); p.join(); print(p.exitcode)
        for _ in range(4): step()
        end()
        """
    ),
    "a process pool": script(
        """
        from concurrent.futures import ThreadPoolExecutor
        with ThreadPoolExecutor(2) as pool: print(list(pool.map(abs, [-1, -2])))
        for _ in range(4): step()
        end()
        """
    ),
    "a thread that trains": script(
        """
        import threading
        def work():
            for _ in range(4): step()
        t = threading.Thread(target=work); t.start(); t.join()
        end()
        """,
        verdicts={"body": "unknown", "head": "unknown"},
    ),
    "no garbage collector": script("import gc\ngc.disable(); gc.freeze()\n" + LOOP + "print(gc.isenabled())\n"),
    "a busy garbage collector": script("import gc\ngc.set_threshold(1)\n" + LOOP + "print(gc.get_threshold())\n"),
    "warnings are errors": script("import warnings\nwarnings.simplefilter('error')\n" + LOOP),
    "a showwarning that raises": script(
        """
        import warnings
        def show(*_, **__): raise OSError("no")
        warnings.showwarning = show
        for _ in range(4): step()
        end()
        """
    ),
    "another locale": script("import locale\nlocale.setlocale(locale.LC_ALL, 'C')\n" + LOOP),
    "an ASCII stdout": script(
        "import sys\nsys.stdout.reconfigure(encoding='ascii', errors='replace')\nprint('é')\n" + LOOP
    ),
    "another stdout": script(
        "import io, sys\nkept, sys.stdout = sys.stdout, io.StringIO()\nprint('lost')\n"
        + LOOP
        + "sys.stdout = kept; end()\n"
    ),
    "a stdout that is None": script("import sys\nend()\nfor _ in range(4): step()\nsys.stdout = None\n"),
    "a stdout that raises": script(
        """
        import sys
        class Out:
            def write(self, text): raise OSError("no")
            def flush(self): raise OSError("no")
        for _ in range(4): step()
        end()
        sys.stdout.flush()
        sys.stdout, kept = Out(), sys.stdout
        import atexit
        atexit.register(lambda: setattr(sys, "stdout", kept))
        """
    ),
    "a stderr that is None": script("import sys\nsys.stderr = None\n" + LOOP),
    "arguments rewritten": script(
        "import sys\nprint(sys.argv[1:])\nsys.argv[:] = []\n" + LOOP, arguments=("--a", "-b")
    ),
    "arguments that look like ours": script(
        "import sys\nprint(sys.argv[1:])\n" + LOOP, arguments=("-o", "x.html", "--steps", "2", "--help")
    ),
    "no sys.path": script("import sys\nsys.path.clear()\n" + LOOP),
    "no main module": script("import sys\ndel sys.modules['__main__']\n" + LOOP),
    "another main module": script("import sys, types\nsys.modules['__main__'] = types.ModuleType('odd')\n" + LOOP),
    "a None among the modules": script(
        "import sys\nsys.modules['networkx_odd'] = None\nsys.modules['strange'] = 3\n" + LOOP
    ),
    "a module that raises when looked at": script(
        """
        import sys
        class Angry:
            def __getattribute__(self, name): raise RuntimeError("do not look")
        sys.modules["angry"] = Angry()
        for _ in range(4): step()
        end()
        """
    ),
    "json replaced": script("import sys, types\nsys.modules['json'] = types.ModuleType('json')\n" + LOOP),
    "the main guard": script("if __name__ == '__main__':\n    for _ in range(4): step()\n    end()\n"),
    "main imported again": script(
        "import train\nprint(train.__name__)\n" + LOOP, name="again.py", files={"train.py": SETUP}
    ),
    "a name of its own": script("__name__ = 'else'\n__file__ = None\n" + LOOP),
    "variables deleted": script(
        "for _ in range(4): step()\nend()\ndel body, head, optimizer, step, x, end, torch, nn\n"
    ),
    "all variables deleted": script("for _ in range(4): step()\nend()\nglobals().clear()\n"),
    "exec": script("exec('for _ in range(4): step()\\nend()')\n"),
    "compiled under an odd name": script(
        "exec(compile('for _ in range(4): step()', '<\\n\\x1b[31m>', 'exec'))\nend()\n"
    ),
    "compiled under a name that is none": script("exec(compile('step(); step()', '', 'exec'))\nend()\n"),
    "lines that lie": script("code = compile('\\n' * 5000 + 'step(); step()', __file__, 'exec')\nexec(code)\nend()\n"),
    "eval": script("eval('[step() for _ in range(4)]')\nend()\n"),
    "all in one lambda": script("(lambda n: [step() for _ in range(n)])(4); end()\n"),
    "an import hook": script(
        """
        import importlib.abc, importlib.machinery, sys
        class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
            def find_spec(self, name, path=None, target=None):
                return importlib.machinery.ModuleSpec(name, self) if name == "made_up" else None
            def exec_module(self, module): exec("def go(step):\\n  for _ in range(4): step()", vars(module))
        sys.meta_path.insert(0, Finder())
        import made_up
        made_up.go(step); end()
        """
    ),
    "an import hook that raises": script(
        """
        import importlib.abc, sys
        class Finder(importlib.abc.MetaPathFinder):
            def find_spec(self, name, path=None, target=None):
                if name.startswith(("networkx", "graphviz", "jinja2", "html")): raise RuntimeError(name)
        sys.meta_path.insert(0, Finder())
        for _ in range(4): step()
        end()
        """
    ),
    "a frame that is looked at": script(
        "import inspect\ndef odd():\n    f = inspect.currentframe(); f.f_locals\n    step(); return f\nodd()\n" + LOOP
    ),
    "a generator that trains": script(
        "def training():\n    while True: yield step()\ng = training()\nfor _ in range(4): next(g)\ng.close(); end()\n"
    ),
    "asyncio": script(
        """
        import asyncio
        async def one():
            await asyncio.sleep(0); return step()
        async def main():
            for _ in range(2): await asyncio.gather(one(), one())
        asyncio.run(main()); end()
        """
    ),
    "context variables": script(
        "import contextvars\nctx = contextvars.copy_context()\nfor _ in range(4): ctx.run(step)\nend()\n"
    ),
    "greenlets of generators": script(
        """
        def worker(n):
            for _ in range(n):
                step(); yield
        ws = [worker(2), worker(2)]
        while ws:
            for w in ws[:]:
                if next(w, 1) == 1: ws.remove(w)
        end()
        """
    ),
    "a decorator around all": script(
        """
        import functools, contextlib
        @contextlib.contextmanager
        def around():
            try: yield
            finally: print("left")
        @functools.lru_cache(None)
        @around()
        def cached(n): return step()
        for n in range(4): cached(n)
        end()
        """
    ),
    "an ExitStack": script(
        "import contextlib\nwith contextlib.ExitStack() as stack:\n    for _ in range(4): stack.callback(step)\nend()\n"
    ),
    "a subprocess": script(
        "import subprocess, sys\nprint(subprocess.run([sys.executable, '-c', 'print(5)'], capture_output=True).stdout)\n"
        + LOOP
    ),
    "environment emptied": script("import os\nos.environ.clear()\n" + LOOP),
    "standard streams closed": script(
        "import os, sys\nfor _ in range(4): step()\nend()\nsys.stdout.flush()\nos.close(0)\n"
    ),
    "time that stands still": script(
        "import time\ntime.monotonic = time.time = time.perf_counter = lambda: 0.0\n" + LOOP
    ),
    "random seeded all the time": script(
        "import random\nfor _ in range(4):\n    random.seed(0); torch.manual_seed(0); step()\nend(); print(random.random())\n"
    ),
    "faulthandler and tracemalloc": script("import faulthandler, tracemalloc\ntracemalloc.start()\n" + LOOP),
    "a match statement and a walrus": script(
        "match [step(), (y := step())]:\n    case [a, b] if a > b: print('falls')\n    case _: pass\nend()\n"
    ),
    "type annotations that raise": script("from __future__ import annotations\ny: 1 / 0 = 3\n" + LOOP),
}
PYTHON["type annotations that raise"] = whole("from __future__ import annotations\nSETUP\ny: 1 / 0 = 3\n" + LOOP)

SOURCE = {
    "its source deleted": script("import os\nos.remove(__file__)\n" + LOOP),
    "its source edited while it runs": script("open(__file__, 'w').write('nothing here\\n' * 3)\n" + LOOP),
    "its source made binary while it runs": script("open(__file__, 'wb').write(bytes(range(256)))\n" + LOOP),
    "a line of 100,000 characters": script("y = '" + "a" * 100_000 + "'; step(); step()\nend()\n"),
    "many lines": script("\n" * 20_000 + LOOP),
    "deep nesting": script(
        "y = "
        + "(" * 90
        + "1"
        + ")" * 90
        + "\n"
        + "".join("  " * i + "if 1:\n" for i in range(18))
        + "  " * 18
        + "step(); step()\nend()\n"
    ),
    "a byte order mark": Hostile(b"\xef\xbb\xbf" + (SETUP + LOOP).encode()),
    "latin-1": Hostile(b"# -*- coding: latin-1 -*-\nname = '\xe9\xe8'; print(ascii(name))\n" + (SETUP + LOOP).encode()),
    "a coding cookie in the second line": Hostile(
        b"#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\ny = '\x80'; print(ascii(y))\n" + (SETUP + LOOP).encode()
    ),
    "form feeds": script("\f\nfor _ in range(4):\n    step()\n\f\nend()\n"),
    "tabs": Hostile((SETUP + LOOP).replace("    ", "\t")),
    "CRLF": Hostile((SETUP + LOOP).replace("\n", "\r\n").encode()),
    "CR": Hostile((SETUP + LOOP).replace("\n", "\r").encode()),
    "no newline at the end": Hostile((SETUP + LOOP).rstrip()),
    "identifiers in Unicode": Hostile(
        (SETUP + LOOP).replace("end(", "ende_ß_ﬁ(").replace("body", "körper"),
        verdicts={"head": "trained", "körper": "unreachable"},
    ),
    "line separators within strings": script("y = '''a\u2028b\x0b\x0c\x1c'''\nprint(len(y))\n" + LOOP),
    "continued lines": script("for _ in \\\n range(4): \\\n  step()\nend()\n"),
    "semicolons": Hostile(SETUP + "step(); step(); step(); end()"),
    "an odd file name": Hostile(SETUP + LOOP, name="träin <b>&'\" $(x)\n[1].py"),
    "a name without suffix": Hostile(SETUP + LOOP, name="train"),
    "a name that is a module's": Hostile(SETUP + LOOP, name="token_.py"),
    "a folder like a library's": Hostile(SETUP + LOOP, name="site-packages/train.py"),
    "imported from a zip": whole(
        "import sys\nsys.path.insert(0, 'lib.zip')\nfrom inside import *\n" + LOOP,
        files={"lib.zip": zipped(inside=SETUP)},
    ),
    "a package with relative imports": Hostile(
        SETUP,
        name="pack/parts.py",
        files={
            "pack/__init__.py": "",
            "pack/__main__.py": "from .parts import *\nprint(__package__, __spec__.name)\n" + LOOP,
        },
        module="pack",
    ),
    "a namespace package": Hostile(
        "from .deep.parts import *\nprint(__package__)\n" + LOOP,
        name="space/go.py",
        files={"space/deep/parts.py": SETUP},
        module="space.go",
    ),
    "a module that runs another": whole(
        "import runpy\nrunpy.run_path('other.py', run_name='__main__')\n", files={"other.py": SETUP + LOOP}
    ),
    "a star import that hides all": whole(
        "SETUP\nfrom hiding import *\n" + LOOP.replace("range(4)", "(1, 2, 3)"),
        files={"hiding.py": "range = zip = map = hasattr = getattr = None\n"},
    ),
    "a neighbour named like a library": whole(
        "SETUP\n" + LOOP,
        files={"networkx.py": "raise ImportError('mine')\n", "graphviz.py": "1 / 0\n", "rich.py": "", "click.py": ""},
    ),
    "a neighbour named like the standard library": whole(
        "SETUP\n" + LOOP,
        files={"symtable.py": "1 / 0\n", "html.py": "1 / 0\n", "pickletools.py": "1 / 0\n"},
    ),
}

MODULES = {
    "a dynamic class": script(
        "Net = type('Net', (nn.Module,), {'forward': lambda self, x: self.w * x})\nnet = Net(); net.w = nn.Parameter(torch.ones(1))\n"
        + LOOP
    ),
    "a metaclass": script(
        "class Meta(type):\n    def __call__(cls, *a): return super().__call__(*a)\nclass Net(nn.Linear, metaclass=Meta): pass\nbody.extra = Net(1, 1)\n"
        + LOOP
    ),
    "properties that raise": script(
        """
        class Net(nn.Linear):
            @property
            def angry(self): raise RuntimeError("no")
            @property
            def device(self): raise KeyError("no")
        net = Net(3, 1)
        for _ in range(4):
            step(); net(x).sum().backward()
        end()
        """,
        verdicts={**CUT, "net": "excluded"},
    ),
    "slots": script("class Net(nn.Linear):\n    __slots__ = ('a', 'b')\nnet = Net(3, 1); net.a = 3\n" + LOOP),
    "a getattr that answers everything": script(
        """
        class Net(nn.Module):
            def __init__(self): super().__init__(); self.inner = nn.Linear(3, 1)
            def __getattr__(self, name):
                try: return super().__getattr__(name)
                except AttributeError: return lambda *a, **k: 0
            def forward(self, x): return self.inner(x)
        net = Net(); net(x)
        for _ in range(4): step()
        end()
        """
    ),
    "modules that compare as arrays": script(
        """
        class Net(nn.Linear):
            def __eq__(self, other): raise TypeError("no")
            def __hash__(self): return 1
            def __bool__(self): raise TypeError("no")
            def __len__(self): raise TypeError("no")
        body.extra = Net(3, 3); body.extra(x)
        for _ in range(4): step()
        end()
        """,
        verdicts={"head": "trained"},
    ),
    "weak references to all": script(
        "import weakref\nr = [weakref.ref(p) for p in (*body.parameters(), body, optimizer)]\n" + LOOP
    ),
    "a deep copy in the middle": script(
        """
        import copy
        step(); step()
        body, head, optimizer = copy.deepcopy((body, head, optimizer))
        for _ in range(3): step()
        end()
        """,
        verdicts={},
    ),
    "pickled in the middle": script(
        """
        import pickle
        step(); step()
        print(sorted(pickle.loads(pickle.dumps(head.state_dict()))))
        pickle.loads(pickle.dumps(head)); pickle.loads(pickle.dumps(optimizer))
        for _ in range(3): step()
        end()
        """
    ),
    "saved and loaded": script(
        "step(); torch.save(head, 'h.pt'); torch.load('h.pt', weights_only=False); torch.save(optimizer.state_dict(), 'o.pt')\n"
        + LOOP
    ),
    "tied weights": whole(
        "CONNECTED\nhead = nn.Linear(3, 3); head.weight = body.weight\noptimizer = torch.optim.SGD({*body.parameters(), *head.parameters()}, .1)\n"
        + LOOP,
        verdicts={"body": "trained"},
    ),
    "parameters in odd containers": script(
        """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.odd = {"a": [(nn.Parameter(torch.ones(1)),)], 3: {nn.Parameter(torch.ones(1))}}
                self.odd["self"] = self.odd
            def forward(self, x): return x * self.odd["a"][0][0]
        net = Net()
        for _ in range(4):
            step(); net(x).sum().backward()
        end()
        """,
        verdicts=CUT,
    ),
    "a module that contains itself": script(
        "body.me = [body]; body.__dict__['you'] = head; head.__dict__['you'] = body\n" + LOOP
    ),
    "modules without init": script("net = nn.Linear.__new__(nn.Linear)\n" + LOOP),
    "a forward replaced": script("head.forward = lambda x, f=head.forward: f(x)\n" + LOOP),
    "a call replaced": script("nn.Linear.__call__ = lambda self, x, f=nn.Linear.__call__: f(self, x)\n" + LOOP),
    "hooks that raise": script(
        """
        def raises(*_): raise RuntimeError("hooked")
        step(); step()
        handle = head.register_forward_hook(raises)
        try: step()
        except RuntimeError as error: print(error)
        handle.remove()
        for _ in range(3): step()
        end()
        """
    ),
    "gradient hooks that raise": script(
        """
        def raises(*_): raise RuntimeError("hooked")
        step(); step()
        handle = head.weight.register_hook(raises)
        try: step()
        except RuntimeError as error: print(error)
        handle.remove()
        for _ in range(3): step()
        end()
        """
    ),
    "global hooks": script(
        "seen = []\nh = nn.modules.module.register_module_forward_hook(lambda m, i, o: seen.append(m))\n"
        + LOOP
        + "print(len(seen))\n"
    ),
    "names with dots that do not fit": script(
        "body._parameters['odd.name <b>'] = nn.Parameter(torch.ones(1))\nbody._parameters[''] = nn.Parameter(torch.ones(1))\n"
        + LOOP,
        verdicts={"head": "trained"},
    ),
    "keys that are no text": script("body._modules[3] = None\nbody._buffers[None] = None\n" + LOOP),
    "500 modules": script("deep = nn.Sequential(*[nn.Identity() for _ in range(500)])\nx = deep(x)\n" + LOOP),
    "an optimizer of its own": script(
        """
        class Own(torch.optim.Optimizer):
            def __init__(self, params): super().__init__(params, {})
            @torch.no_grad()
            def step(self, closure=None):
                for g in self.param_groups:
                    for p in g["params"]:
                        if p.grad is not None: p.sub_(p.grad, alpha=0.1)
        optimizer = Own([*body.parameters(), *head.parameters()])
        for _ in range(4): step()
        end()
        """
    ),
    "an optimizer that is no optimizer": script(
        """
        class Own:
            def zero_grad(self):
                for p in head.parameters(): p.grad = None
            def step(self):
                for p in head.parameters(): p.data -= 0.1 * p.grad
        optimizer = Own()
        for _ in range(4): step()
        end()
        """,
        verdicts={"head": "trained"},
    ),
    "a step that raises now and then": script(
        """
        for i in range(4):
            optimizer.zero_grad(); head(body(x).detach()).sum().backward()
            try: optimizer.step(lambda: 1 / 0) if i == 2 else optimizer.step()
            except ZeroDivisionError: print("raised")
        end()
        """
    ),
    "param groups rewritten": script(
        "step(); optimizer.param_groups[:] = [dict(optimizer.param_groups[0], params=list(head.parameters()))]\n"
        + LOOP,
        verdicts={"head": "trained"},
    ),
    "a state that is swapped": script("step()\noptimizer.state = dict(optimizer.state)\n" + LOOP),
}

TORCH = {
    "another default device": whole("import torch\ntorch.set_default_device('cpu')\nSETUP\n" + LOOP),
    "another default dtype": whole("import torch\ntorch.set_default_dtype(torch.float64)\nSETUP\n" + LOOP),
    "gradients off everywhere": script(
        """
        torch.set_grad_enabled(False)
        with torch.enable_grad():
            for _ in range(4): step()
        end(); print(torch.is_grad_enabled())
        """
    ),
    "inference mode around another model": script(
        "with torch.inference_mode():\n    y = head(x); print(y.is_inference())\n" + LOOP
    ),
    "deterministic algorithms": script("torch.use_deterministic_algorithms(True)\n" + LOOP),
    "a tensor subclass": script("class T(torch.Tensor): pass\nx = torch.ones(2, 3).as_subclass(T)\n" + LOOP),
    "a tensor subclass that refuses": script(
        """
        class T(torch.Tensor):
            @classmethod
            def __torch_function__(cls, func, types, args=(), kwargs=None):
                if func is torch.Tensor.cumsum: raise RuntimeError("no")
                return super().__torch_function__(func, types, args, kwargs)
        x = torch.ones(2, 3).as_subclass(T)
        for _ in range(4): step()
        end()
        """
    ),
    "a function mode": script(
        """
        from torch.overrides import TorchFunctionMode
        class Mode(TorchFunctionMode):
            n = 0
            def __torch_function__(self, func, types, args=(), kwargs=None):
                Mode.n += 1
                return func(*args, **(kwargs or {}))
        with Mode(): step(); step()
        for _ in range(3): step()
        end()
        """
    ),
    "a dispatch mode": script(
        """
        from torch.utils._python_dispatch import TorchDispatchMode
        class Mode(TorchDispatchMode):
            seen = []
            def __torch_dispatch__(self, func, types, args=(), kwargs=None):
                self.seen.append(str(func))
                return func(*args, **(kwargs or {}))
        with Mode(): step(); step()
        print(Mode.seen)
        for _ in range(3): step()
        end()
        """
    ),
    "saved tensor hooks": script(
        "with torch.autograd.graph.saved_tensors_hooks(lambda t: t.numpy(), torch.from_numpy):\n    step(); step()\n"
        + LOOP
    ),
    "anomaly mode": script("torch.autograd.set_detect_anomaly(True)\n" + LOOP),
    "a script by jit": script("head = torch.jit.script(head)\n" + LOOP, verdicts={"head": "trained"}),
    "a trace by jit": script("f = torch.jit.trace(lambda x: x * 2, torch.ones(2, 3))\nx = f(x)\n" + LOOP),
    "torch.func": script(
        "from torch.func import functional_call, grad\np = dict(head.named_parameters())\ng = grad(lambda p: functional_call(head, p, (x,)).sum())\nprint(sorted(g(p)))\n"
        + LOOP
    ),
    "vmap": script("print(torch.vmap(lambda r: head(r))(x).shape)\n" + LOOP),
    "double backward": script(
        """
        for _ in range(4):
            optimizer.zero_grad()
            loss = head(body(x).detach()).square().mean()
            g, = torch.autograd.grad(loss, head.weight, create_graph=True)
            (loss + g.square().sum()).backward()
            optimizer.step()
        end()
        """
    ),
    "a retained graph": script(
        """
        for _ in range(4):
            optimizer.zero_grad()
            loss = head(body(x).detach()).square().mean()
            loss.backward(retain_graph=True); loss.backward()
            optimizer.step()
        end()
        """
    ),
    "a graph that is gone": script(
        """
        for _ in range(4): step()
        loss = head(x).square().sum(); loss.backward()
        try: loss.backward()
        except RuntimeError as error: print(type(error).__name__)
        end()
        """
    ),
    "sparse gradients": script(
        """
        table = nn.Embedding(4, 3, sparse=True); sgd = torch.optim.SGD(table.parameters(), .1)
        for _ in range(4):
            step(); sgd.zero_grad(); head(table(torch.tensor([1, 2]))).sum().backward(); sgd.step()
        end(); print(float(table.weight.sum()))
        """,
        verdicts={**CUT, "table": "trained"},
    ),
    "complex parameters": script(
        """
        c = nn.Parameter(torch.ones(3, dtype=torch.complex64)); sgd = torch.optim.SGD([c], .1)
        for _ in range(4):
            step(); sgd.zero_grad(); (c * x[0]).abs().sum().backward(); sgd.step()
        end(); print(c.detach().sum())
        """,
        verdicts={**CUT, "c": "trained"},
    ),
    "parameters of no elements": script(
        "body.empty = nn.Parameter(torch.empty(0, 3)); optimizer.add_param_group({'params': [body.empty]})\n" + LOOP,
        verdicts={"head": "trained"},
    ),
    "inputs of no elements": script("x = torch.empty(0, 3)\nfor _ in range(4): step()\nend()\n", verdicts={}),
    "a parameter of no dimension": script(
        """
        s = nn.Parameter(torch.tensor(2.0)); sgd = torch.optim.SGD([s], .1)
        for _ in range(4):
            step(); sgd.zero_grad(); (s * s).backward(); sgd.step()
        end(); print(float(s))
        """,
        verdicts={**CUT, "s": "trained"},
    ),
    "NaN everywhere": script(
        "x = x * float('nan')\nfor _ in range(4): step()\nend()\n", verdicts={"body": "unreachable", "head": "blocked"}
    ),
    "infinite losses": script(
        "for _ in range(4):\n    optimizer.zero_grad(); (head(x).sum() * float('inf')).backward(); optimizer.step()\nend()\n",
        verdicts={"head": "blocked"},
    ),
    "half precision": script("body.bfloat16(); head.bfloat16(); x = x.bfloat16()\n" + LOOP),
    "autocast": script("with torch.autocast('cpu', torch.bfloat16):\n    for _ in range(4): step()\nend()\n"),
    "quantized values": script("q = torch.quantize_per_tensor(x, .1, 0, torch.qint8); x = q.dequantize()\n" + LOOP),
    "a tensor that is a view of itself": script("x = x.expand(2, 2, 3)[0].as_strided((2, 3), (3, 1))\n" + LOOP),
    "memory that is shared": script("body.share_memory(); head.share_memory()\n" + LOOP),
    "torch functions replaced": script(
        "old = torch.Tensor.backward\ntorch.Tensor.backward = lambda self, *a, **k: old(self, *a, **k)\n" + LOOP
    ),
    "an optimizer's step replaced": script(
        "old = torch.optim.SGD.step\ntorch.optim.SGD.step = lambda self, *a: old(self, *a)\n" + LOOP
    ),
    "a custom function": script(
        """
        class F(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x): ctx.save_for_backward(x); return x * 2
            @staticmethod
            def backward(ctx, g): return g * 2
        for _ in range(4):
            optimizer.zero_grad(); F.apply(head(body(x).detach())).sum().backward(); optimizer.step()
        end()
        """
    ),
    "a checkpoint": script(
        """
        from torch.utils.checkpoint import checkpoint
        for _ in range(4):
            optimizer.zero_grad(); checkpoint(head, body(x).detach(), use_reentrant=False).sum().backward(); optimizer.step()
        end()
        """
    ),
    "the fake mode": script(
        "from torch._subclasses.fake_tensor import FakeTensorMode\nwith FakeTensorMode(): print(nn.Linear(2, 2)(torch.ones(1, 2)).shape)\n"
        + LOOP
    ),
    "a loss that is no scalar": script(
        "for _ in range(4):\n    optimizer.zero_grad(); y = head(body(x).detach()); y.backward(torch.ones_like(y)); optimizer.step()\nend()\n"
    ),
    "threads of autograd": script("torch.autograd.set_multithreading_enabled(False)\n" + LOOP),
    "a default generator that is swapped": script(
        "g = torch.Generator(); g.manual_seed(3)\nx = torch.rand(2, 3, generator=g)\n" + LOOP
    ),
    "an operator of its own": script(
        """
        @torch.library.custom_op("hostile::twice", mutates_args=())
        def twice(x: torch.Tensor) -> torch.Tensor: return x * 2
        twice.register_autograd(lambda ctx, g: g * 2)
        for _ in range(4):
            optimizer.zero_grad(); twice(head(body(x).detach())).sum().backward(); optimizer.step()
        end()
        """
    ),
    "a numpy that is a parameter": script(
        "import numpy as np\na = np.ones((1, 3), dtype=np.float32); head.weight = nn.Parameter(torch.from_numpy(a))\noptimizer = torch.optim.SGD([*body.parameters(), *head.parameters()], .1)\n"
        + LOOP
        + "print(a.sum() < 3)\n"
    ),
}

HOSTILE: dict[str, Hostile] = {**ENDS, **PYTHON, **SOURCE, **MODULES, **TORCH}
