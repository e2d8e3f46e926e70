import torch

from callbacks import GradualUnfreeze, History
from cli import parser
from frame import CATEGORICAL, arrays
from learner import Learner
from model import TabNet


def main():
    args = parser().parse_args()
    torch.manual_seed(args.seed)
    num, cat, y = (torch.from_numpy(a) for a in arrays(300, args.seed))
    model = TabNet(num.shape[1], list(CATEGORICAL.values()), gate_init=args.gate_init)
    Learner(model, args, [GradualUnfreeze(args.unfreeze_at), History()]).fit(num, cat, y)


if __name__ == "__main__":
    main()
