import json
import pathlib

import torch

from retrieval import TwoTower

HERE = pathlib.Path(__file__).parent
MISSING_PERCENT = 10


def interactions(n):
    user = torch.randint(0, 200, (n,))
    item = (user * 3 + torch.randint(0, 4, (n,))) % 300
    missing = torch.rand(n) * 100 < MISSING_PERCENT
    return {
        "user_id": user,
        "country": torch.where(missing, -1, user % 9),
        "item_id": item,
        "genre": item % 11,
    }


def optimizer_for(model, conf):
    parts = [(name, getattr(model, name)) for name in conf["lrs"]]
    return torch.optim.Adagrad([{"params": list(m.parameters()), "lr": conf["lrs"][n]} for n, m in parts])


def main():
    conf = json.loads((HERE / "settings.json").read_text())
    torch.manual_seed(conf["seed"])
    model = TwoTower(conf)
    opt = optimizer_for(model, conf["optimizer"])
    for step in range(conf["steps"]):
        loss = model(interactions(conf["batch"]))
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 5 == 0:
            print("step", step, "in-batch softmax loss", round(loss.item(), 4))


main()
