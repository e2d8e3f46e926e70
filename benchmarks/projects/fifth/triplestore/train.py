import json
from pathlib import Path

import torch

from graph import KnowledgeGraph
from model import TripleModel
from optimizers import OptimizerGroup


def batch_loss(model, graph, batch, opts):
    subject, relation, obj = batch
    margin, k = opts.get("margin", 1.0), opts.get("negatives", 1)
    loss = model.rank(subject, relation, obj, graph.corrupt(len(subject), k), margin)
    if opts.get("both_directions", False):
        loss = loss + model.rank(obj, relation, subject, graph.corrupt(len(subject), k), margin, inverse=True)
    typed = torch.cat([subject, obj])
    return loss + opts.get("typing_weight", 0.1) * model.type_loss(typed, graph.types)


def main():
    cfg = json.loads(Path("config.json").read_text())
    torch.manual_seed(cfg["seed"])
    graph = KnowledgeGraph(**cfg["data"], seed=cfg["seed"])
    model = TripleModel(graph, **cfg["model"])
    optimizer = OptimizerGroup.from_config(cfg["optim"], tables=model.tables(), network=model.network())
    opts = cfg["training"]
    for epoch in range(opts["epochs"]):
        running = []
        for batch in graph.batches(opts["batch_size"]):
            optimizer.zero_grad()
            loss = batch_loss(model, graph, batch, opts)
            loss.backward()
            n = optimizer.step()
            running.append(loss.item())
        print(f"epoch {epoch} ({n} updates): {sum(running) / len(running):.4f}")


if __name__ == "__main__":
    main()
