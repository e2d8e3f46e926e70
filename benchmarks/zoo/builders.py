"""The models of each library, by name: how to build one, small, and what to call it with."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

__all__ = ["LIBRARIES", "Built", "models_of"]

Built = tuple[nn.Module, dict[str, Any]]
"""A model, and the arguments of its forward by name."""
Builder = Callable[[], Built]


def models_of(library: str) -> dict[str, Builder]:
    """The models of one library; raises ImportError where it is not installed."""
    return dict(LIBRARIES[library]())


def _positional(model: nn.Module, *values: Any) -> Built:
    """A model with its arguments under the names that its forward has for them."""
    names = [name for name in inspect.signature(model.forward).parameters if name not in ("args", "kwargs")]
    return model, dict(zip(names, values, strict=False))


def _image(side: int, count: int = 2, channels: int = 3) -> torch.Tensor:
    return torch.randn(count, channels, side, side)


def _torchvision() -> Iterator[tuple[str, Builder]]:
    from torchvision import models

    def classifier(name: str) -> Built:
        side = 96 if name.startswith("inception") else 64
        options = {"init_weights": True} if name in ("googlenet", "inception_v3") else {}
        if name.startswith(("vit", "swin", "maxvit")):
            side = 224
        return _positional(models.get_model(name, num_classes=10, **options), _image(side))

    for name in models.list_models(module=models):
        yield name, lambda name=name: classifier(name)

    def segmenter(name: str) -> Built:
        model = models.get_model(name, weights_backbone=None, num_classes=5, aux_loss=True)
        return _positional(model, _image(64))

    for name in models.list_models(module=models.segmentation):
        yield f"segmentation.{name}", lambda name=name: segmenter(name)

    def film(name: str) -> Built:
        size = (16, 224, 224) if name.startswith(("mvit", "swin")) else (8, 56, 56)
        return _positional(models.get_model(name, num_classes=10), torch.randn(1, 3, *size))

    for name in models.list_models(module=models.video):
        yield f"video.{name}", lambda name=name: film(name)

    def detector(name: str) -> Built:
        model = models.get_model(name, weights=None, weights_backbone=None, num_classes=5)
        box = {"boxes": torch.tensor([[4.0, 4.0, 40.0, 40.0]]), "labels": torch.tensor([1])}
        box["masks"] = torch.ones(1, 64, 64, dtype=torch.uint8)
        box["keypoints"] = torch.ones(1, 17, 3)
        return model, {"images": [torch.rand(3, 64, 64)], "targets": [box]}

    for name in models.list_models(module=models.detection):
        yield f"detection.{name}", lambda name=name: detector(name)


def _timm() -> Iterator[tuple[str, Builder]]:
    import timm

    def build(name: str) -> Built:
        model = timm.create_model(name, pretrained=False, num_classes=10)
        channels, *size = model.default_cfg.get("input_size", (3, 224, 224))
        side = size[0] if model.default_cfg.get("fixed_input_size") else min(96, size[0])
        return _positional(model, _image(side, channels=channels))

    for module in timm.list_modules():
        names = timm.list_models(module=module)
        for name in sorted(names, key=_size_told)[:4]:
            yield name, lambda name=name: build(name)


SIZES = (
    "test",
    "atto",
    "femto",
    "pico",
    "nano",
    "zepto",
    "tiny",
    "xxs",
    "xs",
    "x_small",
    "small",
    "_s",
    "b0",
    "18",
    "10",
)


def _size_told(name: str) -> tuple[int, str]:
    """The smaller a model is by its name, the earlier it comes."""
    return next((number for number, word in enumerate(SIZES) if word in name), len(SIZES)), name


NUMBERS = {
    r"(.*_)?(hidden_size|d_model|n_embd|dim|embed_dim|hidden_dim|embedding_size|projection_dim|d_kv_total)": 32,
    r"(.*_)?(intermediate_size|ffn_dim|d_ff|n_inner|feed_forward_size|dim_feedforward|d_inner|expand_size)": 64,
    r"(.*_)?(moe_intermediate_size|shared_expert_intermediate_size)": 32,
    r"(.*_)?(num_hidden_layers|num_layers|n_layers?|encoder_layers|decoder_layers|num_blocks)": 2,
    r"(.*_)?(num_attention_heads|num_heads|n_heads?|encoder_attention_heads|decoder_attention_heads)": 4,
    r"(.*_)?(num_key_value_heads)": 2,
    r"(.*_)?(num_experts|num_local_experts|n_routed_experts)": 4,
    r"(.*_)?(num_experts_per_tok|moe_topk|moe_top_k|top_k_experts)": 2,
    r"(.*_)?(head_dim|d_kv|qk_nope_head_dim|v_head_dim|qk_rope_head_dim)": 8,
    r"(.*_)?(q_lora_rank|kv_lora_rank)": 16,
    r"(.*_)?vocab_size": 120,
    r"(.*_)?(max_position_embeddings|n_positions|max_source_positions|max_target_positions)": 128,
    r"image_size": 32,
    r"patch_size": 8,
    r"(.*_)?(pad|bos|eos|cls|sep|mask|unk|decoder_start|forced_eos|forced_bos)_token_id": 1,
}
"""Name of a number in a configuration → the small number that stands for it."""


def _shrink(config: Any, depth: int = 0) -> None:
    """Makes a configuration small; what depends on a number's own value (lists of layers) is made anew by `_lists`."""
    for name, value in list(vars(config).items()):
        if type(value) is int:
            small = next((number for pattern, number in NUMBERS.items() if re.fullmatch(pattern, name)), None)
            if small is not None and (value > small or "token_id" in name):
                setattr(config, name, small)
        elif hasattr(value, "to_dict") and depth < 3:
            _shrink(value, depth + 1)
        elif isinstance(value, list) and name in ("layer_types", "mlp_layer_types", "block_types"):
            setattr(config, name, value[:2])


HEADS = (
    "MODEL_MAPPING",
    "MODEL_FOR_CAUSAL_LM_MAPPING",
    "MODEL_FOR_MASKED_LM_MAPPING",
    "MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING",
    "MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING",
    "MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING",
    "MODEL_FOR_AUDIO_CLASSIFICATION_MAPPING",
    "MODEL_FOR_OBJECT_DETECTION_MAPPING",
    "MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING",
)


def _transformers() -> Iterator[tuple[str, Builder]]:
    from transformers.models.auto import configuration_auto, modeling_auto

    def build(kind: str, head: str) -> Built:
        config = configuration_auto.CONFIG_MAPPING[kind]()
        _shrink(config)
        found = getattr(modeling_auto, head)[type(config)]
        model = (found[0] if isinstance(found, tuple) else found)(config)
        return model, _arguments(model, config)

    for head in HEADS:
        names = getattr(modeling_auto, f"{head}_NAMES")
        for kind in names:
            yield f"{head[6:-8].strip('_').lower() or 'base'}:{kind}", lambda kind=kind, head=head: build(kind, head)


def _arguments(model: nn.Module, config: Any) -> dict[str, Any]:
    """What the forward of a model of transformers needs, by the names of its arguments."""
    names = inspect.signature(model.forward).parameters
    text = torch.randint(3, 100, (2, 12))
    side = getattr(config, "image_size", None) or getattr(getattr(config, "vision_config", None), "image_size", 32)
    side = side if isinstance(side, int) else 32
    able: dict[str, Callable[[], torch.Tensor]] = {
        "input_ids": text.clone,
        "decoder_input_ids": text.clone,
        "pixel_values": lambda: _image(side, channels=getattr(config, "num_channels", 3)),
        "input_features": lambda: torch.randn(2, getattr(config, "num_mel_bins", 80), 256),
        "input_values": lambda: torch.randn(2, 4000),
    }
    main = getattr(model, "main_input_name", "input_ids")
    wanted = [main, *(["decoder_input_ids"] if getattr(config, "is_encoder_decoder", False) else [])]
    if "pixel_values" in names and "input_ids" in names and hasattr(config, "projection_dim"):
        wanted += ["pixel_values"]
    return {name: able[name]() for name in dict.fromkeys(wanted) if name in names and name in able}


def _x_transformers() -> Iterator[tuple[str, Builder]]:
    import x_transformers as x

    options: list[dict[str, Any]] = [
        {}, {"rotary_pos_emb": True}, {"alibi_pos_bias": True, "alibi_num_heads": 2}, {"rel_pos_bias": True},
        {"use_rmsnorm": True}, {"use_scalenorm": True}, {"ff_glu": True}, {"ff_swish": True, "ff_glu": True},
        {"attn_talking_heads": True}, {"attn_num_mem_kv": 4}, {"attn_one_kv_head": True}, {"attn_kv_heads": 2},
        {"attn_qk_norm": True}, {"attn_gate_values": True}, {"residual_attn": True}, {"gate_residual": True},
        {"sandwich_norm": True}, {"macaron": True}, {"shift_tokens": 1}, {"ff_relu_squared": True},
        {"use_simple_rmsnorm": True}, {"ff_no_bias": True}, {"scale_residual": True}, {"resi_dual": True},
        {"pre_norm": False}, {"use_dynamic_tanh": True}, {"attn_sparse_topk": 4}, {"attn_on_attn": True},
        {"ff_post_act_ln": True}, {"rotary_xpos": True}, {"attn_value_residual": None}, {"add_value_residual": True},
        {"num_residual_streams": 2}, {"attn_laser": True}, {"attn_softclamp_logits": True},
        {"zero_init_branch_output": True},
    ]  # fmt: skip

    def text(given: dict[str, Any]) -> Built:
        layers = x.Decoder(dim=32, depth=2, heads=4, attn_dim_head=8, **given)
        return _positional(
            x.TransformerWrapper(num_tokens=100, max_seq_len=64, attn_layers=layers), torch.randint(0, 100, (2, 16))
        )

    for given in options:
        given = {name: value for name, value in given.items() if value is not None}
        yield f"decoder({', '.join(given)})", lambda given=given: text(given)

    def encoder(given: dict[str, Any]) -> Built:
        layers = x.Encoder(dim=32, depth=2, heads=4, attn_dim_head=8, **given)
        return _positional(
            x.ViTransformerWrapper(image_size=32, patch_size=8, num_classes=10, attn_layers=layers), _image(32)
        )

    for given in options[4:14]:
        yield f"vit({', '.join(given)})", lambda given=given: encoder(given)

    def both() -> Built:
        sizes = {"num_tokens": 50, "depth": 2, "heads": 4, "max_seq_len": 32}
        model = x.XTransformer(
            dim=32, **{f"{side}_{name}": value for side in ("enc", "dec") for name, value in sizes.items()}
        )
        return _positional(model, torch.randint(0, 50, (2, 16)), torch.randint(0, 50, (2, 16)))

    yield "XTransformer", both
    continuous = {"dim_in": 8, "dim_out": 8, "max_seq_len": 64}
    yield (
        "ContinuousTransformerWrapper",
        lambda: _positional(
            x.ContinuousTransformerWrapper(attn_layers=x.Encoder(dim=32, depth=2, heads=4), **continuous),
            torch.randn(2, 16, 8),
        ),
    )


VIT = {
    "image_size": 64, "patch_size": 16, "num_classes": 10, "dim": 64, "depth": 2, "heads": 4, "mlp_dim": 64,
}  # fmt: skip


def _vit_pytorch() -> Iterator[tuple[str, Builder]]:
    """Each module of the library has a class whose constructor takes some of the usual options."""
    import pkgutil

    import vit_pytorch

    def build(module: str) -> Built:
        found = importlib.import_module(f"vit_pytorch.{module}")
        kinds = [
            kind
            for kind in vars(found).values()
            if isinstance(kind, type) and issubclass(kind, nn.Module) and kind.__module__ == found.__name__
            if "num_classes" in inspect.signature(kind.__init__).parameters
        ]
        kind = kinds[-1]
        wanted = inspect.signature(kind.__init__).parameters
        more = {"cls_depth": 1, "dim_head": 16, "channels": 3, "num_register_tokens": 2, "num_residual_streams": 2}
        more |= {"mlp_mult": 2, "num_slots": 4, "freq_patch_size": 8, "num_hierarchies": 2, "block_repeats": (1, 1)}
        more |= {"sm_dim": 32, "lg_dim": 64, "reduction_factor": (8, 4), "max_tokens_per_depth": (8, 8)}
        given = {name: value for name, value in {**VIT, **more}.items() if name in wanted}
        return _positional(kind(**given), _image(64))

    for one in pkgutil.iter_modules(vit_pytorch.__path__):
        yield one.name, lambda name=one.name: build(name)


def _segmentation_models() -> Iterator[tuple[str, Builder]]:
    import segmentation_models_pytorch as smp

    kinds = (
        "Unet",
        "UnetPlusPlus",
        "FPN",
        "PSPNet",
        "DeepLabV3",
        "DeepLabV3Plus",
        "Linknet",
        "MAnet",
        "PAN",
        "UPerNet",
    )
    for kind in kinds:
        for encoder in ("resnet18", "mobilenet_v2", "efficientnet-b0", "timm-regnetx_002"):

            def build(kind: str = kind, encoder: str = encoder) -> Built:
                model = getattr(smp, kind)(encoder_name=encoder, encoder_weights=None, classes=3)
                return _positional(model, _image(64))

            yield f"{kind}/{encoder}", build


def _monai() -> Iterator[tuple[str, Builder]]:
    from monai.networks import nets

    flat = {"spatial_dims": 2, "in_channels": 1, "out_channels": 2}
    small = {"channels": (8, 16), "strides": (2, 2)}
    vit = {"in_channels": 1, "img_size": (32, 32), "hidden_size": 64, "mlp_dim": 64, "num_layers": 2, "num_heads": 4}
    patches = {"patch_size": (8, 8), "spatial_dims": 2}
    variational = {"spatial_dims": 2, "in_shape": (1, 32, 32), "out_channels": 1, "latent_size": 4}
    given: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {
        "UNet": ({**flat, "channels": (8, 16, 32), "strides": (2, 2)}, (2, 1, 32, 32)),
        "BasicUNet": (flat, (2, 1, 32, 32)),
        "BasicUNetPlusPlus": (flat, (2, 1, 32, 32)),
        "AttentionUnet": ({**flat, "channels": (8, 16, 32), "strides": (2, 2)}, (2, 1, 32, 32)),
        "SegResNet": ({**flat, "init_filters": 8}, (2, 1, 32, 32)),
        "SegResNetDS": ({**flat, "init_filters": 8}, (2, 1, 32, 32)),
        "SegResNetVAE": ({**flat, "input_image_size": (32, 32)}, (2, 1, 32, 32)),
        "DynUNet": (
            {**flat, "kernel_size": (3, 3, 3), "strides": (1, 2, 2), "upsample_kernel_size": (2, 2)},
            (2, 1, 32, 32),
        ),
        "VNet": ({"spatial_dims": 2, "in_channels": 1, "out_channels": 2}, (2, 1, 32, 32)),
        "UNETR": ({**flat, "img_size": (32, 32), "hidden_size": 64, "mlp_dim": 64, "num_heads": 4}, (2, 1, 32, 32)),
        "SwinUNETR": ({**flat, "feature_size": 12}, (1, 1, 64, 64)),
        "DenseNet121": (flat, (2, 1, 64, 64)),
        "SEResNet50": ({"spatial_dims": 2, "in_channels": 3, "num_classes": 4}, (2, 3, 64, 64)),
        "resnet18": ({"spatial_dims": 2, "n_input_channels": 1, "num_classes": 4}, (2, 1, 64, 64)),
        "EfficientNetBN": ({"model_name": "efficientnet-b0", "spatial_dims": 2, "in_channels": 1}, (2, 1, 64, 64)),
        "HighResNet": (flat, (2, 1, 32, 32)),
        "AutoEncoder": ({**flat, **small}, (2, 1, 32, 32)),
        "VarAutoEncoder": ({**variational, **small}, (2, 1, 32, 32)),
        "ViT": ({**vit, **patches, "classification": True}, (2, 1, 32, 32)),
        "ViTAutoEnc": ({**vit, **patches}, (2, 1, 32, 32)),
        "FlexibleUNet": ({"in_channels": 3, "out_channels": 2, "backbone": "efficientnet-b0"}, (2, 3, 64, 64)),
        "Regressor": ({"in_shape": (1, 32, 32), "out_shape": (1,), **small}, (2, 1, 32, 32)),
        "Classifier": ({"in_shape": (1, 32, 32), "classes": 3, **small}, (2, 1, 32, 32)),
        "AHNet": ({"layers": (1, 1, 1, 1), "spatial_dims": 2, "in_channels": 1, "out_channels": 2}, (2, 1, 128, 128)),
        "DiNTS": ({}, (1, 1, 32, 32)),
    }  # fmt: skip
    for kind, (options, shape) in given.items():
        yield (
            kind,
            lambda kind=kind, options=options, shape=shape: _positional(
                getattr(nets, kind)(**options), torch.randn(*shape)
            ),
        )


def _open_clip() -> Iterator[tuple[str, Builder]]:
    from open_clip.model import CLIP, CustomTextCLIP

    vision = {"layers": 2, "width": 64, "patch_size": 16, "image_size": 32, "head_width": 16}
    text = {"context_length": 16, "vocab_size": 100, "width": 64, "heads": 4, "layers": 2}
    variants: dict[str, tuple[Any, dict[str, Any], dict[str, Any]]] = {
        "CLIP": (CLIP, vision, text),
        "CustomTextCLIP": (CustomTextCLIP, vision, text),
        "CLIP/resnet": (CLIP, {**vision, "layers": (1, 1, 1, 1)}, text),
        "CLIP/attentional_pool": (CLIP, {**vision, "attentional_pool": True}, text),
        "CLIP/avg_pool": (CLIP, {**vision, "pool_type": "avg"}, text),
    }  # fmt: skip

    def build(name: str) -> Built:
        kind, seen, read = variants[name]
        model = kind(embed_dim=32, vision_cfg=seen, text_cfg=read)
        return model, {"image": _image(32), "text": torch.randint(1, 100, (2, 16))}

    for name in variants:
        yield name, lambda name=name: build(name)


def _diffusers() -> Iterator[tuple[str, Builder]]:
    import diffusers

    sample, time = torch.randn(1, 4, 16, 16), torch.tensor([10])
    blocks = {"block_out_channels": (32, 64), "norm_num_groups": 8, "layers_per_block": 1}
    conditioned = {"cross_attention_dim": 32, "attention_head_dim": 8}

    def unet(**options: Any) -> Built:
        model = diffusers.UNet2DConditionModel(
            sample_size=16, down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"), **blocks, **conditioned, **options,
        )  # fmt: skip
        return model, {"sample": sample, "timestep": time, "encoder_hidden_states": torch.randn(1, 6, 32)}

    yield "UNet2DConditionModel", unet
    yield "UNet2DConditionModel(linear)", lambda: unet(use_linear_projection=True)
    plain = {
        "in_channels": 4,
        "out_channels": 4,
        "down_block_types": ("DownBlock2D", "AttnDownBlock2D"),
        "up_block_types": ("AttnUpBlock2D", "UpBlock2D"),
    }
    yield (
        "UNet2DModel",
        lambda: (
            diffusers.UNet2DModel(sample_size=16, **plain, **blocks),
            {"sample": sample, "timestep": time},
        ),
    )
    coder = {
        "down_block_types": ("DownEncoderBlock2D",) * 2,
        "up_block_types": ("UpDecoderBlock2D",) * 2,
        "norm_num_groups": 8,
        "block_out_channels": (16, 32),
    }
    yield "AutoencoderKL", lambda: (diffusers.AutoencoderKL(**coder), {"sample": _image(32)})
    yield "VQModel", lambda: (diffusers.VQModel(**coder), {"sample": _image(32)})
    yield "AutoencoderTiny", lambda: (diffusers.AutoencoderTiny(), {"sample": _image(32)})
    dit = {"num_attention_heads": 4, "attention_head_dim": 8, "in_channels": 4, "num_layers": 2, "sample_size": 16}
    yield (
        "DiTTransformer2DModel",
        lambda: (
            diffusers.DiTTransformer2DModel(**dit, norm_num_groups=4, num_embeds_ada_norm=10),
            {"hidden_states": sample, "timestep": time, "class_labels": torch.tensor([3])},
        ),
    )
    yield (
        "PixArtTransformer2DModel",
        lambda: (
            diffusers.PixArtTransformer2DModel(**dit, out_channels=8, cross_attention_dim=32, caption_channels=32),
            {
                "hidden_states": sample,
                "timestep": time,
                "encoder_hidden_states": torch.randn(1, 6, 32),
                "added_cond_kwargs": {"resolution": None, "aspect_ratio": None},
            },
        ),
    )
    three = {"sample_size": 16, "patch_size": 2, "num_layers": 2, "attention_head_dim": 8, "num_attention_heads": 4}
    yield (
        "SD3Transformer2DModel",
        lambda: (
            diffusers.SD3Transformer2DModel(
                **three, in_channels=4, caption_projection_dim=32, joint_attention_dim=32, pooled_projection_dim=64
            ),
            {
                "hidden_states": sample,
                "timestep": time,
                "encoder_hidden_states": torch.randn(1, 6, 32),
                "pooled_projections": torch.randn(1, 64),
            },
        ),
    )
    yield (
        "ControlNetModel",
        lambda: (
            diffusers.ControlNetModel(
                **blocks, **conditioned, down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
                conditioning_embedding_out_channels=(8, 16, 16, 16),
            ),
            {"sample": sample, "timestep": time, "encoder_hidden_states": torch.randn(1, 6, 32),
             "controlnet_cond": _image(128, 1)},
        ),
    )  # fmt: skip


def _torch_geometric() -> Iterator[tuple[str, Builder]]:
    from torch_geometric import nn as pyg

    edges = torch.randint(0, 12, (2, 40))
    graph = {"x": torch.randn(12, 8), "edge_index": edges}
    layers = (
        "GCNConv", "SAGEConv", "GATConv", "GATv2Conv", "GraphConv", "TransformerConv", "TAGConv", "ARMAConv", "SGConv",
        "ChebConv", "LEConv", "ClusterGCNConv", "GENConv", "ResGatedGraphConv", "SuperGATConv", "MFConv", "FeaStConv",
        "FiLMConv", "GeneralConv", "SSGConv", "EGConv", "CuGraphSAGEConv",
    )  # fmt: skip
    more: dict[str, dict[str, Any]] = {
        "ChebConv": {"K": 3},
        "SSGConv": {"alpha": 0.1},
        "EGConv": {"num_bases": 2, "num_heads": 4},
    }
    for name in layers:
        yield name, lambda name=name: (getattr(pyg, name)(8, 16, **more.get(name, {})), dict(graph))
    for name in ("GCN", "GraphSAGE", "GIN", "GAT", "PNA", "EdgeCNN"):
        extra = {"aggregators": ["mean", "max"], "scalers": ["identity"], "deg": torch.bincount(edges[1])}
        options = extra if name == "PNA" else {}
        yield (
            name,
            lambda name=name, options=options: (
                getattr(pyg, name)(8, 16, num_layers=2, out_channels=4, **options),
                dict(graph),
            ),
        )


LIBRARIES: dict[str, Callable[[], Iterator[tuple[str, Builder]]]] = {
    "torchvision": _torchvision,
    "timm": _timm,
    "transformers": _transformers,
    "x-transformers": _x_transformers,
    "vit-pytorch": _vit_pytorch,
    "segmentation-models": _segmentation_models,
    "monai": _monai,
    "open_clip": _open_clip,
    "diffusers": _diffusers,
    "torch_geometric": _torch_geometric,
}
