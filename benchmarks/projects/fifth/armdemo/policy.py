import torch
from torch import nn


class Vision(nn.Module):
    def __init__(self, channels, dim):
        super().__init__()
        self.stem = nn.Conv2d(3, channels, 3, stride=2, padding=1)
        self.body = nn.Conv2d(channels, dim, 3, stride=2, padding=1)

    def forward(self, image):
        x = torch.relu(self.stem(image))
        return torch.relu(self.body(x)).mean((2, 3))


class ArmPolicy(nn.Module):
    def __init__(self, vision, instructions, dim, joints):
        super().__init__()
        self.vision = vision
        self.instruction = nn.Embedding(instructions, dim)
        self.trunk = nn.Sequential(nn.Linear(2 * dim + joints, dim), nn.ELU(), nn.Linear(dim, dim), nn.ELU())
        self.arm_head = nn.Linear(dim, joints)
        self.gripper_head = nn.Linear(dim, 1)
        self.critic_head = nn.Linear(dim, 1)

    def forward(self, image, instruction, pose):
        x = torch.cat([self.vision(image), self.instruction(instruction), pose], -1)
        x = self.trunk(x)
        return {"arm": self.arm_head(x), "gripper": self.gripper_head(x).squeeze(-1),
                "success": self.critic_head(x).squeeze(-1)}
