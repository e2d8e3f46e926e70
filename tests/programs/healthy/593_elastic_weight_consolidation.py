"""Two tasks in a row: the penalty weighs nothing during the first, the Fisher information is gathered in between by
backwards that no step uses, and each task has a head of its own. Origin: Kirkpatrick et al. 2017. NEEDS_LOOP"""
import torch
from torch import nn
import torch.nn.functional as F


class MultiHead(nn.Module):
    def __init__(self, tasks=2):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(5, 12), nn.Tanh())
        self.heads = nn.ModuleList(nn.Linear(12, 2) for _ in range(tasks))

    def forward(self, x, task):
        return self.heads[task](self.trunk(x))


class Consolidation:
    def __init__(self):
        self.anchors, self.fisher = {}, {}

    def gather(self, model, x, task):
        model.eval()
        fisher = {n: torch.zeros_like(p) for n, p in model.trunk.named_parameters()}
        for row in x:
            model.zero_grad()
            log_probs = F.log_softmax(model(row[None], task), 1)
            F.nll_loss(log_probs, log_probs.argmax(1)).backward()
            for n, p in model.trunk.named_parameters():
                fisher[n] += p.grad.detach() ** 2 / len(x)
        model.zero_grad()
        model.train()
        self.anchors = {n: p.detach().clone() for n, p in model.trunk.named_parameters()}
        self.fisher = fisher

    def penalty(self, model):
        terms = [(self.fisher[n] * (p - self.anchors[n]) ** 2).sum() for n, p in model.trunk.named_parameters() if n in self.fisher]
        return sum(terms, torch.zeros(()))


def make():
    torch.manual_seed(0)
    model = MultiHead()
    tasks = [(torch.randn(10, 5), torch.randint(0, 2, (10,))) for _ in range(2)]
    return model, torch.optim.SGD(model.parameters(), lr=0.1), tasks


def loss_fn(model, tasks):
    return F.cross_entropy(model(tasks[0][0], 0), tasks[0][1])


def train(steps=5):
    model, optimizer, tasks = make()
    keeper, losses = Consolidation(), []
    for task, (x, y) in enumerate(tasks):
        for _ in range(steps):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x, task), y) + (100.0 if task else 0.0) * keeper.penalty(model)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        keeper.gather(model, x, task)
    return model, losses


KIND = "healthy"
EXPECT = dict.fromkeys((name for name, _ in make()[0].named_parameters()), "trained")
CAUSE = "healthy"

if __name__ == "__main__":
    train()
