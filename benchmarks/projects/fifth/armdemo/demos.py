import torch


class DemoSet:
    """Teleoperated reaches: a coloured blob tells where to go, the instruction which colour."""

    def __init__(self, episodes, batch_size, seed, joints=4, instructions=5):
        g = torch.Generator().manual_seed(seed)
        self.batch_size = batch_size
        spots = torch.randint(0, 12, (episodes, 2), generator=g)
        image = 0.1 * torch.randn(episodes, 3, 12, 12, generator=g)
        for i, (y, x) in enumerate(spots.tolist()):
            image[i, i % 3, y, x] += 3
        pose = torch.randn(episodes, joints, generator=g)
        goal = torch.cat([spots, spots.flip(1)], 1) / 6 - 1
        self.data = {
            "image": image,
            "instruction": torch.randint(0, instructions, (episodes,), generator=g),
            "pose": pose,
            "joints": goal - 0.5 * pose,
            "closed": (spots.sum(1) > 11).float(),
            "success": (pose.norm(dim=1) < 2).float(),
        }

    def __iter__(self):
        n = len(self.data["pose"])
        for i in range(0, n, self.batch_size):
            yield {k: v[i:i + self.batch_size] for k, v in self.data.items()}
