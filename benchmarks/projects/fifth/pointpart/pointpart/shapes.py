import torch


def lamp(n, rng):
    """A foot (0), a pole (1) and a shade (2), turned about the vertical axis."""
    part = torch.randint(0, 3, (n,), generator=rng)
    angle = torch.rand(n, generator=rng) * 6.2832
    radius = torch.tensor([0.6, 0.08, 0.8])[part]
    height = torch.tensor([0.0, 0.3, 1.2])[part] + torch.rand(n, generator=rng) * torch.tensor([0.1, 0.9, 0.4])[part]
    normal = torch.stack([angle.cos(), angle.sin(), torch.zeros(n)], 1)
    points = normal * radius[:, None] + height[:, None] * torch.tensor([0.0, 0.0, 1.0])
    tilt, _ = torch.linalg.qr(torch.eye(3) + 0.2 * torch.randn(3, 3, generator=rng))
    return points @ tilt, part, normal @ tilt


def loader(count, points, batch, seed):
    rng = torch.Generator().manual_seed(seed)
    shapes = [lamp(points, rng) for _ in range(count)]
    out = []
    for i in range(0, count, batch):
        xyz, part, normal = map(torch.stack, zip(*shapes[i:i + batch]))
        out.append({"points": xyz, "parts": part, "normals": normal})
    return out
