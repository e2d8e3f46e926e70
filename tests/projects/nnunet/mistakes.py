"""A U-Net with deep supervision, trained by a hierarchy of trainers. The coarsest output has weight 0 on purpose."""

RUN = ["run_training.py"]
EXPECT = {"seg_outputs.0.weight": "unreachable", "*": "trained"}
INTENT = ["seg_outputs.0.weight"]
MISTAKES = {
    "the network is built again when training starts": {
        "edits": [
            (
                "nnunet/training/nnUNetTrainerV2.py",
                "        self.maybe_update_lr(self.epoch)\n",
                "        self.initialize_network()  # <-- culprit\n        self.maybe_update_lr(self.epoch)\n",
            ),
            (
                "nnunet/training/nnUNetTrainerV2.py",
                "    def initialize_network(self):\n        self.network = Generic_UNet(1, self.base_num_features, "
                "self.num_classes, self.num_pool)\n\n    def initialize_optimizer_and_scheduler(self):\n        assert "
                'self.network is not None, "self.initialize_network must be called first"\n'
                "        self.optimizer = torch.optim.SGD",
                "    def initialize_network(self):\n        self.network = Generic_UNet(1, self.base_num_features, "
                "self.num_classes, self.num_pool)  # <-- culprit\n\n    def initialize_optimizer_and_scheduler(self):\n"
                '        assert self.network is not None, "self.initialize_network must be called first"\n'
                "        self.optimizer = torch.optim.SGD",
            ),
        ],
        "expect": {"*(old)*": "stale"},
        "codes": {"FXA204"},
        "findings": 1,
    },
    "the schedule ends before it begins": {
        "edits": [
            (
                "nnunet/training/nnUNetTrainerV2.py",
                "self.maybe_update_lr(self.epoch)",
                "self.maybe_update_lr()  # <-- culprit",
            )
        ],
        "run": ["run_training.py", "-e", "1"],
        "expect": {"seg_outputs.0.weight": "unreachable", "*": "blocked"},
        "codes": {"FXA304"},
    },
}
