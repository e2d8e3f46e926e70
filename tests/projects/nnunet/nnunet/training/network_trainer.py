import os
from abc import abstractmethod
from time import time

import numpy as np
import torch


class NetworkTrainer:
    def __init__(self, output_folder, deterministic=True):
        if deterministic:
            np.random.seed(12345)
            torch.manual_seed(12345)
        self.output_folder = output_folder
        self.network = self.optimizer = self.lr_scheduler = self.tr_gen = self.val_gen = self.loss = None
        self.was_initialized = False
        self.max_num_epochs, self.num_batches_per_epoch, self.num_val_batches_per_epoch = 2, 5, 1
        self.epoch = 0
        self.all_tr_losses, self.all_val_losses = [], []
        self.log_file = None

    @abstractmethod
    def initialize(self, training=True):
        """Build network, optimizer, generators."""

    def print_to_log_file(self, *args):
        print(*args)

    def save_checkpoint(self, fname, save_optimizer=True):
        state_dict = {key: value.cpu() for key, value in self.network.state_dict().items()}
        torch.save({"epoch": self.epoch + 1, "state_dict": state_dict,
                    "optimizer_state_dict": self.optimizer.state_dict() if save_optimizer else None}, fname)

    def load_checkpoint(self, fname):
        if not self.was_initialized:
            self.initialize(True)
        saved_model = torch.load(fname)
        self.network.load_state_dict(saved_model["state_dict"])

    def run_training(self):
        if not self.was_initialized:
            self.initialize(True)
        os.makedirs(self.output_folder, exist_ok=True)
        while self.epoch < self.max_num_epochs:
            epoch_start_time = time()
            train_losses_epoch = []
            self.network.train()
            for _ in range(self.num_batches_per_epoch):
                train_losses_epoch.append(self.run_iteration(self.tr_gen, True))
            self.all_tr_losses.append(np.mean(train_losses_epoch))
            with torch.no_grad():
                self.network.eval()
                val_losses = [self.run_iteration(self.val_gen, False) for _ in range(self.num_val_batches_per_epoch)]
                self.all_val_losses.append(np.mean(val_losses))
            continue_training = self.on_epoch_end()
            self.print_to_log_file(self.epoch, self.all_tr_losses[-1], time() - epoch_start_time)
            if not continue_training:
                break
            self.epoch += 1
        self.save_checkpoint(os.path.join(self.output_folder, "model_final_checkpoint.model"))

    def maybe_update_lr(self):
        if self.lr_scheduler is not None:
            self.lr_scheduler.step()

    def on_epoch_end(self):
        self.maybe_update_lr()
        if self.epoch % 2 == 0:
            self.save_checkpoint(os.path.join(self.output_folder, "model_latest.model"))
        return True

    def run_iteration(self, data_generator, do_backprop=True):
        data_dict = next(data_generator)
        data, target = data_dict["data"], data_dict["target"]
        self.optimizer.zero_grad()
        output = self.network(data)
        del data
        l = self.loss(output, target)
        if do_backprop:
            l.backward()
            self.optimizer.step()
        return l.detach().cpu().numpy()
