import torch
from torch import nn


class InitWeights_He:
    def __init__(self, neg_slope=1e-2):
        self.neg_slope = neg_slope

    def __call__(self, module):
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            module.weight = nn.init.kaiming_normal_(module.weight, a=self.neg_slope)
            if module.bias is not None:
                module.bias = nn.init.constant_(module.bias, 0)


class ConvDropoutNormNonlin(nn.Module):
    def __init__(self, cin, cout, stride=1, dropout_p=0.0):
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, 3, stride, 1, bias=True)
        self.dropout = nn.Dropout2d(dropout_p) if dropout_p > 0 else None
        self.instnorm = nn.InstanceNorm2d(cout, affine=True)
        self.lrelu = nn.LeakyReLU(1e-2, inplace=True)

    def forward(self, x):
        x = self.conv(x)
        if self.dropout is not None:
            x = self.dropout(x)
        return self.lrelu(self.instnorm(x))


class StackedConvLayers(nn.Module):
    def __init__(self, cin, cout, num_convs, first_stride=1):
        super().__init__()
        self.blocks = nn.Sequential(
            ConvDropoutNormNonlin(cin, cout, first_stride),
            *[ConvDropoutNormNonlin(cout, cout) for _ in range(num_convs - 1)],
        )

    def forward(self, x):
        return self.blocks(x)


class Generic_UNet(nn.Module):
    def __init__(self, input_channels, base_num_features, num_classes, num_pool, num_conv_per_stage=2, deep_supervision=True,
                 weightInitializer=InitWeights_He(1e-2)):
        super().__init__()
        self.do_ds = True
        self._deep_supervision = deep_supervision
        self.conv_blocks_context = []
        self.conv_blocks_localization = []
        self.tu = []
        self.seg_outputs = []
        output_features, input_features = base_num_features, input_channels
        for d in range(num_pool):
            stride = 2 if d != 0 else 1
            self.conv_blocks_context.append(StackedConvLayers(input_features, output_features, num_conv_per_stage, stride))
            input_features = output_features
            output_features = int(round(output_features * 2))
        self.conv_blocks_context.append(StackedConvLayers(input_features, output_features, num_conv_per_stage, 2))
        final_num_features = output_features
        for u in range(num_pool):
            nfeatures_from_skip = self.conv_blocks_context[-(2 + u)].blocks[-1].conv.out_channels
            self.tu.append(nn.ConvTranspose2d(final_num_features, nfeatures_from_skip, 2, 2, bias=False))
            self.conv_blocks_localization.append(
                StackedConvLayers(nfeatures_from_skip * 2, nfeatures_from_skip, num_conv_per_stage)
            )
            final_num_features = nfeatures_from_skip
        for ds in range(len(self.conv_blocks_localization)):
            cout = self.conv_blocks_localization[ds].blocks[-1].conv.out_channels
            self.seg_outputs.append(nn.Conv2d(cout, num_classes, 1, 1, 0, bias=False))
        self.conv_blocks_localization = nn.ModuleList(self.conv_blocks_localization)
        self.conv_blocks_context = nn.ModuleList(self.conv_blocks_context)
        self.tu = nn.ModuleList(self.tu)
        self.seg_outputs = nn.ModuleList(self.seg_outputs)
        if weightInitializer is not None:
            self.apply(weightInitializer)

    def forward(self, x):
        skips, seg_outputs = [], []
        for d in range(len(self.conv_blocks_context) - 1):
            x = self.conv_blocks_context[d](x)
            skips.append(x)
        x = self.conv_blocks_context[-1](x)
        for u in range(len(self.tu)):
            x = self.tu[u](x)
            x = torch.cat((x, skips[-(u + 1)]), dim=1)
            x = self.conv_blocks_localization[u](x)
            seg_outputs.append(self.seg_outputs[u](x))
        if self._deep_supervision and self.do_ds:
            return tuple([seg_outputs[-1]] + list(seg_outputs[:-1][::-1]))
        return seg_outputs[-1]
