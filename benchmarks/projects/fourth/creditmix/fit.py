import torch
import torch.nn.functional as F

import table
from mixture import Mixture
from plan import Plan
from solver import Solver, WarmUp


def make_solver(model, plan):
    main = [*model.experts.parameters(), *model.embed.parameters()]
    return Solver(
        [
            {"params": main, "lr": plan.lr},
            {"params": model.gate.parameters(), "lr": 0.0, "peak": plan.gate_lr},
        ],
        momentum=plan.momentum,
    )


def fit(plan):
    model = Mixture(table.JOBS, table.REGIONS, table.NUMERIC, plan.experts, plan.hidden)
    solver = make_solver(model, plan)
    warm = WarmUp(solver, plan.warmup)
    step, seen = 0, 0.0
    for i, (row, bad) in enumerate(table.rows(plan.batches, 16, plan.seed), start=1):
        active = plan.joined(step)
        loss = F.binary_cross_entropy_with_logits(model(row, active), bad)
        (loss / plan.accumulate).backward()
        seen += loss.item()
        if i % plan.accumulate:
            continue
        solver.step()
        solver.zero()
        warm.step()
        step += 1
        if step % 3 == 0:
            print(f"step {step:2d} experts {active} loss {seen / (3 * plan.accumulate):.3f}")
            seen = 0.0
    return model


if __name__ == "__main__":
    torch.manual_seed(Plan.seed)
    fit(Plan())
