import torch.nn.functional as F

from registry import OBJECTIVES


@OBJECTIVES.register("arm")
def joint_loss(out, demo):
    """Behaviour cloning of the joint velocities."""
    return F.smooth_l1_loss(out["arm"], demo["joints"])


@OBJECTIVES.register("gripper")
def gripper_loss(out, demo):
    return F.binary_cross_entropy_with_logits(out["gripper"], demo["closed"])


@OBJECTIVES.register("success")
def success_loss(out, demo):
    return F.binary_cross_entropy_with_logits(out["success"], demo["success"])
