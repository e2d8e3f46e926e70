import torch


def march(field, scene, o, d, t):
    p = o[:, None] + d[:, None] * t[..., None]
    sigma, rgb = field(p)
    inside = (p.abs() < scene.bound).all(-1).float()
    sigma = sigma * inside
    gap = torch.cat([t[:, 1:] - t[:, :-1], torch.full_like(t[:, :1], 0.1)], 1)
    alpha = 1 - torch.exp(-sigma * gap)
    clear = torch.cumprod(torch.cat([torch.ones_like(alpha[:, :1]), 1 - alpha + 1e-8], 1), 1)
    w = alpha * clear[:, :-1]
    pixel = (w[..., None] * rgb).sum(1) + clear[:, -1:] * torch.sigmoid(scene.background)
    return pixel, w


def resample(t, w, n):
    pick = torch.multinomial(w + 1e-3, n, replacement=True)
    jitter = 0.1 * torch.rand(pick.shape)
    return (t.gather(1, pick) + jitter).sort(1).values


def render(scene, rays, cfg):
    view_ids, origins, d = rays
    o = scene.origin_of(view_ids, origins)
    t = torch.linspace(cfg.scene.near, cfg.scene.far, cfg.march.coarse).expand(len(d), -1)
    first, w = march(scene.coarse, scene, o, d, t)
    with torch.no_grad():
        t_fine = resample(t, w, cfg.march.fine)
    second, _ = march(scene.fine, scene, o, d, t_fine)
    return first, second
