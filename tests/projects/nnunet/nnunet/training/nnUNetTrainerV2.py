import numpy as np
import torch
import torch.nn.functional as F

from nnunet.loss.dice_loss import DC_and_CE_loss, MultipleOutputLoss2
from nnunet.network.generic_unet import Generic_UNet
from nnunet.training.network_trainer import NetworkTrainer
from nnunet.training.poly_lr import poly_lr


class nnUNetTrainer(NetworkTrainer):
    def __init__(self, plans, output_folder, deterministic=True):
        super().__init__(output_folder, deterministic)
        self.plans = plans
        self.initial_lr = plans["initial_lr"]
        self.weight_decay = 3e-5

    def process_plans(self, plans):
        self.num_pool = plans["num_pool"]
        self.num_classes = plans["num_classes"] + 1
        self.base_num_features = plans["base_num_features"]
        self.batch_size, self.patch_size = plans["batch_size"], plans["patch_size"]

    def initialize(self, training=True):
        self.process_plans(self.plans)
        self.loss = DC_and_CE_loss({"batch_dice": True, "smooth": 1e-5, "do_bg": False})
        self.initialize_network()
        self.initialize_optimizer_and_scheduler()
        self.was_initialized = True

    def initialize_network(self):
        self.network = Generic_UNet(1, self.base_num_features, self.num_classes, self.num_pool)

    def initialize_optimizer_and_scheduler(self):
        assert self.network is not None, "self.initialize_network must be called first"
        self.optimizer = torch.optim.Adam(self.network.parameters(), self.initial_lr, weight_decay=self.weight_decay, amsgrad=True)
        self.lr_scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(self.optimizer)

    def generator(self):
        while True:
            data = torch.randn(self.batch_size, 1, *self.patch_size)
            target = torch.randint(0, self.num_classes, (self.batch_size, 1, *self.patch_size)).float()
            scales = [target]
            for i in range(1, self.num_pool):
                scales.append(F.interpolate(target, scale_factor=1 / 2**i, mode="nearest"))
            yield {"data": data, "target": scales}


class nnUNetTrainerV2(nnUNetTrainer):
    def __init__(self, plans, output_folder, deterministic=True):
        super().__init__(plans, output_folder, deterministic)
        self.deep_supervision_scales = None
        self.ds_loss_weights = None

    def initialize(self, training=True, force_load_plans=False):
        if not self.was_initialized:
            self.process_plans(self.plans)
            self.loss = DC_and_CE_loss({"batch_dice": True, "smooth": 1e-5, "do_bg": False})
            net_numpool = self.num_pool
            weights = np.array([1 / (2**i) for i in range(net_numpool)])
            mask = np.array([True if i < net_numpool - 1 else False for i in range(net_numpool)])
            weights[~mask] = 0
            weights = weights / weights.sum()
            self.ds_loss_weights = weights
            self.loss = MultipleOutputLoss2(self.loss, self.ds_loss_weights)
            self.tr_gen, self.val_gen = self.generator(), self.generator()
            self.initialize_network()
            self.initialize_optimizer_and_scheduler()
        else:
            self.print_to_log_file("self.was_initialized is True, not running self.initialize again")
        self.was_initialized = True

    def initialize_network(self):
        self.network = Generic_UNet(1, self.base_num_features, self.num_classes, self.num_pool)

    def initialize_optimizer_and_scheduler(self):
        assert self.network is not None, "self.initialize_network must be called first"
        self.optimizer = torch.optim.SGD(self.network.parameters(), self.initial_lr, weight_decay=self.weight_decay, momentum=0.99, nesterov=True)
        self.lr_scheduler = None

    def run_iteration(self, data_generator, do_backprop=True):
        data_dict = next(data_generator)
        data, target = data_dict["data"], data_dict["target"]
        self.optimizer.zero_grad()
        output = self.network(data)
        l = self.loss(output, target)
        if do_backprop:
            l.backward()
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), 12)
            self.optimizer.step()
        return l.detach().cpu().numpy()

    def maybe_update_lr(self, epoch=None):
        ep = self.epoch + 1 if epoch is None else epoch
        self.optimizer.param_groups[0]["lr"] = poly_lr(ep, self.max_num_epochs, self.initial_lr, 0.9)
        self.print_to_log_file("lr:", np.round(self.optimizer.param_groups[0]["lr"], decimals=6))

    def on_epoch_end(self):
        super().on_epoch_end()
        return self.epoch < self.max_num_epochs

    def run_training(self):
        self.maybe_update_lr(self.epoch)
        ds = self.network.do_ds
        self.network.do_ds = True
        ret = super().run_training()
        self.network.do_ds = ds
        return ret
