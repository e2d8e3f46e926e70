"""The models that faults are planted into: torch's own and Hugging Face transformers, all tiny and random.

Every subject draws its configuration from a seed. `build` makes the model and a batch, `predict` runs the forward to
one tensor, `criterion` makes the loss of it.
"""

from __future__ import annotations

import importlib.util
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

Batch = dict[str, Any]


@dataclass(frozen=True)
class Subject:
    """A family of models: how to make one from a seed, how to run it, and its loss."""

    name: str
    build: Callable[[random.Random], tuple[nn.Module, Batch]]
    predict: Callable[[nn.Module, Batch], torch.Tensor]
    criterion: Callable[[torch.Tensor, Batch], torch.Tensor]
    needs: str = "torch"

    @property
    def is_available(self) -> bool:
        """Whether the package that the model comes from can be imported."""
        return importlib.util.find_spec(self.needs) is not None

    def make(self, seed: int) -> tuple[nn.Module, Batch]:
        """A model and a batch, the same ones for the same seed."""
        torch.manual_seed(seed)
        model, batch = self.build(random.Random(seed))
        model.train()
        return model, batch


# -- models of torch itself ----------------------------------------------------------------------------------------


class MLP(nn.Module):
    """Layers with a norm and a dropout between them."""

    def __init__(self, width: int, hidden: int, classes: int, depth: int) -> None:
        super().__init__()
        self.stem = nn.Linear(width, hidden)
        self.layers = nn.ModuleList(nn.Linear(hidden, hidden) for _ in range(depth))
        self.norm = nn.LayerNorm(hidden)
        self.drop = nn.Dropout(0.1)
        self.head = nn.Linear(hidden, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = self.stem(x)
        hidden = F.gelu(hidden)
        for layer in self.layers:
            step = layer(hidden)
            hidden = hidden + F.gelu(step)
        hidden = self.norm(hidden)
        hidden = self.drop(hidden)
        scores = self.head(hidden)
        return scores


class CNN(nn.Module):
    """Convolutions, batch norm, pooling, a linear head."""

    def __init__(self, channels: int, width: int, classes: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(channels, width, 3, padding=1),
            nn.BatchNorm2d(width),
            nn.LeakyReLU(),
            nn.AvgPool2d(2),
            nn.Conv2d(width, 2 * width, 3, padding=1, bias=False),
            nn.GroupNorm(2, 2 * width),
            nn.SiLU(),
        )
        self.classifier = nn.Sequential(nn.Dropout(0.1), nn.Linear(2 * width, classes))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        maps = self.features(x)
        pooled = maps.mean((2, 3))
        return self.classifier(pooled)


class ResidualBlock(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inside, outside, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outside)
        self.conv2 = nn.Conv2d(outside, outside, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outside)
        self.shortcut = nn.Conv2d(inside, outside, 1) if inside != outside else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.bn1(self.conv1(x))
        out = F.silu(out)
        out = self.bn2(self.conv2(out))
        short = self.shortcut(x)
        return F.silu(out + short)


class ResNetLike(nn.Module):
    """A stem, residual blocks, a head."""

    def __init__(self, channels: int, width: int, classes: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels, width, 3, padding=1)
        self.layer1 = nn.Sequential(ResidualBlock(width, width))
        self.layer2 = nn.Sequential(ResidualBlock(width, 2 * width), ResidualBlock(2 * width, 2 * width))
        self.fc = nn.Linear(2 * width, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        x = self.layer1(x)
        x = self.layer2(x)
        features = x.mean((2, 3))
        return self.fc(features)


class Seq2Seq(nn.Module):
    """A recurrent encoder, a recurrent decoder with dot-product attention, an output layer."""

    def __init__(self, kind: type[nn.RNNBase], words: int, width: int) -> None:
        super().__init__()
        self.source = nn.Embedding(words, width)
        self.target = nn.Embedding(words, width)
        self.encoder = kind(width, width, batch_first=True, bidirectional=False)
        self.decoder = kind(width, width, batch_first=True)
        self.query = nn.Linear(width, width, bias=False)
        self.project = nn.Linear(2 * width, words)

    def forward(self, source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        embedded = self.source(source)
        memory, state = self.encoder(embedded)
        previous = self.target(target)
        decoded, _ = self.decoder(previous, state)
        scores = self.query(decoded) @ memory.transpose(1, 2)
        weights = scores.softmax(-1)
        context = weights @ memory
        both = torch.cat([decoded, context], -1)
        return self.project(both)


class Translator(nn.Module):
    """`nn.Transformer` between embeddings and an output layer."""

    def __init__(self, words: int, width: int, heads: int, depth: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(words, width)
        self.position = nn.Parameter(torch.randn(16, width) * 0.1)
        self.core = nn.Transformer(
            width, heads, depth, depth, 2 * width, dropout=0.1, batch_first=True, activation="gelu"
        )
        self.out = nn.Linear(width, words)

    def forward(self, source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        memory = self.embed(source) + self.position[: source.shape[1]]
        queries = self.embed(target) + self.position[: target.shape[1]]
        mask = nn.Transformer.generate_square_subsequent_mask(target.shape[1])
        decoded = self.core(memory, queries, tgt_mask=mask)
        return self.out(decoded)


class Tagger(nn.Module):
    """`nn.TransformerEncoder` with a learnt class token."""

    def __init__(self, words: int, width: int, heads: int, depth: int, classes: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(words, width)
        self.token = nn.Parameter(torch.randn(1, 1, width))
        layer = nn.TransformerEncoderLayer(width, heads, 2 * width, dropout=0.1, batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, depth, norm=nn.LayerNorm(width), enable_nested_tensor=False)
        self.head = nn.Linear(width, classes)

    def forward(self, words: torch.Tensor) -> torch.Tensor:
        embedded = self.embed(words)
        token = self.token.expand(words.shape[0], -1, -1)
        sequence = torch.cat([token, embedded], 1)
        encoded = self.encoder(sequence)
        return self.head(encoded[:, 0])


class VAE(nn.Module):
    """An encoder to mean and log variance, the reparametrisation trick, a decoder."""

    def __init__(self, width: int, hidden: int, latent: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(width, hidden), nn.Tanh())
        self.mean = nn.Linear(hidden, latent)
        self.spread = nn.Linear(hidden, latent)
        self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.Tanh(), nn.Linear(hidden, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = self.encoder(x)
        mean = self.mean(hidden)
        spread = self.spread(hidden)
        noise = torch.randn_like(mean)
        sample = mean + noise * (0.5 * spread).exp()
        rebuilt = self.decoder(sample)
        return torch.cat([rebuilt, mean, spread], -1)


class UNet(nn.Module):
    """Down, middle, up, with one skip connection."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(channels, width, 3, padding=1), nn.GroupNorm(2, width), nn.SiLU())
        self.pool = nn.AvgPool2d(2)
        self.middle = nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.SiLU())
        self.up = nn.ConvTranspose2d(width, width, 2, stride=2)
        self.merge = nn.Conv2d(2 * width, width, 3, padding=1)
        self.out = nn.Conv2d(width, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        skip = self.down(x)
        small = self.pool(skip)
        small = self.middle(small)
        large = self.up(small)
        merged = torch.cat([skip, large], 1)
        merged = F.silu(self.merge(merged))
        return self.out(merged)


class MoE(nn.Module):
    """A soft mixture: every expert takes part, weighed by a router."""

    def __init__(self, width: int, experts: int, classes: int) -> None:
        super().__init__()
        self.router = nn.Linear(width, experts)
        self.experts = nn.ModuleList(
            nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)) for _ in range(experts)
        )
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gates = self.router(x)
        gates = gates.softmax(-1)
        results = torch.stack([expert(x) for expert in self.experts], -1)
        mixed = (results * gates.unsqueeze(-2)).sum(-1)
        mixed = self.norm(x + mixed)
        return self.head(mixed)


class GAN(nn.Module):
    """A generator judged by a discriminator; the batch also holds real samples."""

    def __init__(self, latent: int, hidden: int, width: int) -> None:
        super().__init__()
        self.generator = nn.Sequential(nn.Linear(latent, hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, width))
        self.discriminator = nn.Sequential(nn.Linear(width, hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, 1))

    def forward(self, noise: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        fake = self.generator(noise)
        judged = self.discriminator(fake)
        genuine = self.discriminator(real)
        return torch.cat([judged, genuine], -1)


class Recommender(nn.Module):
    """Two embedding tables, biases, and a small tower on top."""

    def __init__(self, users: int, items: int, width: int) -> None:
        super().__init__()
        self.user = nn.Embedding(users, width)
        self.item = nn.Embedding(items, width)
        self.user_bias = nn.Embedding(users, 1)
        self.tower = nn.Sequential(nn.Linear(2 * width, width), nn.Tanh(), nn.Linear(width, 1))
        self.offset = nn.Parameter(torch.zeros(1))

    def forward(self, users: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
        user = self.user(users)
        item = self.item(items)
        match = (user * item).sum(-1)
        deep = self.tower(torch.cat([user, item], -1)).squeeze(-1)
        bias = self.user_bias(users).squeeze(-1)
        return match + deep + bias + self.offset


def _classes(output: torch.Tensor, batch: Batch) -> torch.Tensor:
    return F.cross_entropy(output.flatten(0, -2), batch["labels"].flatten())


def _by_args(model: nn.Module, batch: Batch) -> torch.Tensor:
    result: torch.Tensor = model(*batch["args"])
    return result


def _squares(output: torch.Tensor, batch: Batch) -> torch.Tensor:
    return F.mse_loss(output, batch["labels"])


def _evidence(output: torch.Tensor, batch: Batch) -> torch.Tensor:
    target = batch["labels"]
    rebuilt, mean, spread = output.split([target.shape[1], *[(output.shape[1] - target.shape[1]) // 2] * 2], -1)
    divergence = -0.5 * (1 + spread - mean.pow(2) - spread.exp()).mean()
    return F.mse_loss(rebuilt, target) + 0.1 * divergence


def _adversarial(output: torch.Tensor, batch: Batch) -> torch.Tensor:
    return F.softplus(-output[:, 0]).mean() + F.softplus(-output[:, 1]).mean()


def _mlp(draw: random.Random) -> tuple[nn.Module, Batch]:
    width, classes = draw.randint(4, 8), draw.randint(2, 5)
    model = MLP(width, draw.choice([6, 8, 12]), classes, draw.randint(1, 3))
    return model, {"args": (torch.randn(6, width),), "labels": torch.randint(classes, (6,))}


def _images(kind: Callable[[int, int, int], nn.Module]) -> Callable[[random.Random], tuple[nn.Module, Batch]]:
    def build(draw: random.Random) -> tuple[nn.Module, Batch]:
        channels, classes = draw.randint(1, 3), draw.randint(2, 5)
        model = kind(channels, draw.choice([4, 6]), classes)
        return model, {"args": (torch.randn(4, channels, 8, 8),), "labels": torch.randint(classes, (4,))}

    return build


def _seq2seq(kind: type[nn.RNNBase]) -> Callable[[random.Random], tuple[nn.Module, Batch]]:
    def build(draw: random.Random) -> tuple[nn.Module, Batch]:
        words = draw.randint(10, 20)
        source, target, labels = (torch.randint(words, (3, 5)) for _ in range(3))
        return Seq2Seq(kind, words, draw.choice([6, 8])), {"args": (source, target), "labels": labels}

    return build


def _translator(draw: random.Random) -> tuple[nn.Module, Batch]:
    words = draw.randint(10, 20)
    source, target, labels = (torch.randint(words, (3, 5)) for _ in range(3))
    return Translator(words, 8, draw.choice([1, 2]), draw.randint(1, 2)), {"args": (source, target), "labels": labels}


def _tagger(draw: random.Random) -> tuple[nn.Module, Batch]:
    words, classes = draw.randint(10, 20), draw.randint(2, 5)
    model = Tagger(words, 8, draw.choice([1, 2]), draw.randint(1, 3), classes)
    return model, {"args": (torch.randint(words, (4, 5)),), "labels": torch.randint(classes, (4,))}


def _vae(draw: random.Random) -> tuple[nn.Module, Batch]:
    width = draw.randint(5, 9)
    x = torch.randn(6, width)
    return VAE(width, draw.choice([8, 10]), draw.randint(2, 4)), {"args": (x,), "labels": x}


def _unet(draw: random.Random) -> tuple[nn.Module, Batch]:
    channels = draw.randint(1, 3)
    model = UNet(channels, draw.choice([4, 6]))
    return model, {"args": (torch.randn(2, channels, 8, 8),), "labels": torch.randn(2, channels, 8, 8)}


def _moe(draw: random.Random) -> tuple[nn.Module, Batch]:
    width, classes = draw.choice([6, 8]), draw.randint(2, 4)
    model = MoE(width, draw.randint(2, 3), classes)
    return model, {"args": (torch.randn(6, width),), "labels": torch.randint(classes, (6,))}


def _gan(draw: random.Random) -> tuple[nn.Module, Batch]:
    latent, width = draw.randint(3, 5), draw.randint(4, 6)
    model = GAN(latent, draw.choice([6, 8]), width)
    return model, {"args": (torch.randn(6, latent), torch.randn(6, width))}


def _recommender(draw: random.Random) -> tuple[nn.Module, Batch]:
    users, items = draw.randint(5, 9), draw.randint(6, 12)
    model = Recommender(users, items, draw.choice([4, 6]))
    batch = (torch.randint(users, (8,)), torch.randint(items, (8,)))
    return model, {"args": batch, "labels": torch.randn(8)}


# -- Hugging Face transformers -------------------------------------------------------------------------------------


def _logits(model: nn.Module, batch: Batch) -> torch.Tensor:
    logits: torch.Tensor = model(**batch["inputs"]).logits
    return logits


def _words(
    draw: random.Random, vocabulary: int, length: int = 6, **more: torch.Tensor
) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    del draw
    return {"input_ids": torch.randint(3, vocabulary, (2, length)), **more}, torch.randint(3, vocabulary, (2, length))


def _gpt2(draw: random.Random) -> tuple[nn.Module, Batch]:
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(
        vocab_size=40, n_embd=16, n_layer=draw.randint(1, 3), n_head=2, n_positions=12, attn_implementation="eager"
    )
    inputs, labels = _words(draw, 40)
    return GPT2LMHeadModel(config), {"inputs": inputs, "labels": labels}


def _bert(draw: random.Random) -> tuple[nn.Module, Batch]:
    from transformers import BertConfig, BertForMaskedLM

    config = BertConfig(
        vocab_size=40,
        hidden_size=16,
        num_hidden_layers=draw.randint(1, 3),
        num_attention_heads=2,
        intermediate_size=24,
        max_position_embeddings=12,
        attn_implementation="eager",
    )
    inputs, labels = _words(draw, 40)
    return BertForMaskedLM(config), {"inputs": inputs, "labels": labels}


def _vit(draw: random.Random) -> tuple[nn.Module, Batch]:
    from transformers import ViTConfig, ViTForImageClassification

    config = ViTConfig(
        hidden_size=16,
        num_hidden_layers=draw.randint(1, 3),
        num_attention_heads=2,
        intermediate_size=24,
        image_size=8,
        patch_size=4,
        num_labels=4,
        attn_implementation="eager",
    )
    batch = {"inputs": {"pixel_values": torch.randn(2, 3, 8, 8)}, "labels": torch.randint(4, (2,))}
    return ViTForImageClassification(config), batch


def _t5(draw: random.Random) -> tuple[nn.Module, Batch]:
    from transformers import T5Config, T5ForConditionalGeneration

    config = T5Config(
        vocab_size=40,
        d_model=16,
        d_kv=8,
        d_ff=24,
        num_layers=draw.randint(1, 2),
        num_heads=2,
        feed_forward_proj=draw.choice(["relu", "gated-gelu"]),
        decoder_start_token_id=0,
        attn_implementation="eager",
    )
    inputs, labels = _words(draw, 40, decoder_input_ids=torch.randint(3, 40, (2, 6)))
    return T5ForConditionalGeneration(config), {"inputs": inputs, "labels": labels}


def _llama(draw: random.Random) -> tuple[nn.Module, Batch]:
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=40,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=draw.randint(1, 3),
        num_attention_heads=2,
        num_key_value_heads=draw.choice([1, 2]),
        max_position_embeddings=16,
        attn_implementation="eager",
    )
    inputs, labels = _words(draw, 40)
    return LlamaForCausalLM(config), {"inputs": inputs, "labels": labels}


def _mixtral(draw: random.Random) -> tuple[nn.Module, Batch]:
    from transformers import MixtralConfig, MixtralForCausalLM

    config = MixtralConfig(
        vocab_size=40,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=draw.randint(1, 2),
        num_attention_heads=2,
        num_key_value_heads=2,
        num_local_experts=2,
        num_experts_per_tok=2,
        max_position_embeddings=16,
        attn_implementation="eager",
    )
    inputs, labels = _words(draw, 40)
    return MixtralForCausalLM(config), {"inputs": inputs, "labels": labels}


def _resnet(draw: random.Random) -> tuple[nn.Module, Batch]:
    from transformers import ResNetConfig, ResNetForImageClassification

    config = ResNetConfig(
        embedding_size=8,
        hidden_sizes=[8, 12],
        depths=[1, draw.randint(1, 2)],
        layer_type=draw.choice(["basic", "bottleneck"]),
        hidden_act="silu",
        num_labels=4,
    )
    batch = {"inputs": {"pixel_values": torch.randn(4, 3, 32, 32)}, "labels": torch.randint(4, (4,))}
    return ResNetForImageClassification(config), batch


def _whisper(draw: random.Random) -> tuple[nn.Module, Batch]:
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    config = WhisperConfig(
        vocab_size=40,
        num_mel_bins=8,
        d_model=16,
        encoder_layers=draw.randint(1, 2),
        decoder_layers=draw.randint(1, 2),
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=24,
        decoder_ffn_dim=24,
        max_source_positions=8,
        max_target_positions=12,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=1,
        suppress_tokens=None,
        begin_suppress_tokens=None,
        attn_implementation="eager",
    )
    inputs = {"input_features": torch.randn(2, 8, 16), "decoder_input_ids": torch.randint(3, 40, (2, 6))}
    return WhisperForConditionalGeneration(config), {"inputs": inputs, "labels": torch.randint(3, 40, (2, 6))}


SUBJECTS: dict[str, Subject] = {
    subject.name: subject
    for subject in (
        Subject("mlp", _mlp, _by_args, _classes),
        Subject("cnn", _images(CNN), _by_args, _classes),
        Subject("resnet-like", _images(ResNetLike), _by_args, _classes),
        Subject("gru-seq2seq", _seq2seq(nn.GRU), _by_args, _classes),
        Subject("lstm-seq2seq", _seq2seq(nn.LSTM), _by_args, _classes),
        Subject("transformer", _translator, _by_args, _classes),
        Subject("transformer-encoder", _tagger, _by_args, _classes),
        Subject("vae", _vae, _by_args, _evidence),
        Subject("unet", _unet, _by_args, _squares),
        Subject("moe", _moe, _by_args, _classes),
        Subject("gan", _gan, _by_args, _adversarial),
        Subject("recommender", _recommender, _by_args, _squares),
        Subject("hf-gpt2", _gpt2, _logits, _classes, "transformers"),
        Subject("hf-bert", _bert, _logits, _classes, "transformers"),
        Subject("hf-vit", _vit, _logits, _classes, "transformers"),
        Subject("hf-t5", _t5, _logits, _classes, "transformers"),
        Subject("hf-llama", _llama, _logits, _classes, "transformers"),
        Subject("hf-mixtral", _mixtral, _logits, _classes, "transformers"),
        Subject("hf-resnet", _resnet, _logits, _classes, "transformers"),
        Subject("hf-whisper", _whisper, _logits, _classes, "transformers"),
    )
}
