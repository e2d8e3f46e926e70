from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import nn

from .position_encoding import build_position_encoding


class FrozenBatchNorm2d(torch.nn.Module):
    """BatchNorm2d where the batch statistics and the affine parameters are fixed."""

    def __init__(self, n):
        super().__init__()
        self.register_buffer("weight", torch.ones(n))
        self.register_buffer("bias", torch.zeros(n))
        self.register_buffer("running_mean", torch.zeros(n))
        self.register_buffer("running_var", torch.ones(n))

    def forward(self, x):
        w = self.weight.reshape(1, -1, 1, 1)
        b = self.bias.reshape(1, -1, 1, 1)
        rv = self.running_var.reshape(1, -1, 1, 1)
        rm = self.running_mean.reshape(1, -1, 1, 1)
        scale = w * (rv + 1e-5).rsqrt()
        return x * scale + (b - rm * scale)


class BasicBlock(nn.Module):
    def __init__(self, inplanes, planes, stride=1, norm_layer=FrozenBatchNorm2d):
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, planes, 3, stride, 1, bias=False)
        self.bn1 = norm_layer(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, 1, 1, bias=False)
        self.bn2 = norm_layer(planes)
        self.downsample = None
        if stride != 1 or inplanes != planes:
            self.downsample = nn.Sequential(nn.Conv2d(inplanes, planes, 1, stride, bias=False), norm_layer(planes))

    def forward(self, x):
        identity = x if self.downsample is None else self.downsample(x)
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        return F.relu(out + identity)


class ResNet(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, 2, 1, bias=False)
        self.bn1 = FrozenBatchNorm2d(width)
        self.layer1 = nn.Sequential(BasicBlock(width, width))
        self.layer2 = nn.Sequential(BasicBlock(width, width * 2, 2))
        self.layer3 = nn.Sequential(BasicBlock(width * 2, width * 4, 2))
        self.num_channels = width * 4

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        out = OrderedDict()
        x = self.layer1(x)
        x = self.layer2(x)
        x = self.layer3(x)
        out["0"] = x
        return out


class Backbone(nn.Module):
    def __init__(self, name, train_backbone, width):
        super().__init__()
        backbone = ResNet(width)
        for name, parameter in backbone.named_parameters():
            if not train_backbone or "layer2" not in name and "layer3" not in name and "layer4" not in name:
                parameter.requires_grad_(False)
        self.body = backbone
        self.num_channels = backbone.num_channels

    def forward(self, x):
        return self.body(x)


class Joiner(nn.Sequential):
    def __init__(self, backbone, position_embedding):
        super().__init__(backbone, position_embedding)

    def forward(self, x):
        xs = self[0](x)
        out, pos = [], []
        for name, f in xs.items():
            out.append(f)
            pos.append(self[1](f).to(f.dtype))
        return out, pos


def build_backbone(args):
    position_embedding = build_position_encoding(args)
    train_backbone = args.lr_backbone > 0
    backbone = Backbone(args.backbone, train_backbone, args.width)
    model = Joiner(backbone, position_embedding)
    model.num_channels = backbone.num_channels
    return model
