import torch

from engine.core import Engine
from engine.hooks import ClipHook, LogHook, StepHook, ZeroGradHook
from losses import SegLoss
from options import Options
from shapes import draw
from unet import UNet


def main():
    opt = Options()
    torch.manual_seed(opt.run.seed)
    images, masks = draw(opt.data.images, opt.data.size, opt.run.seed)
    model = UNet(opt.model.base, opt.model.classes, opt.model.edge_head)
    optimizer = torch.optim.SGD(model.parameters(), lr=opt.run.lr, momentum=0.9)
    hooks = [LogHook(opt.run.log_every), ZeroGradHook(), StepHook(), ClipHook(opt.run.max_norm)]
    engine = Engine(model, SegLoss(opt.loss), optimizer, hooks)
    engine.run(images, masks, opt.run.epochs, opt.data.batch)


if __name__ == "__main__":
    main()
