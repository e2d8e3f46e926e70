import argparse

import torch

import conf as confs
import series
from base_trainer import BaseTrainer
from forecaster import Forecaster, pinball
from mixins import GradClipMixin, ReportMixin, WarmStartMixin


class DemandTrainer(GradClipMixin, ReportMixin, WarmStartMixin, BaseTrainer):
    def __init__(self, conf):
        self.series = series.weekly_series(conf["days"], conf["seed"])
        self.epochs = conf["epochs"]
        self.accumulate = conf["accumulate"]
        super().__init__(conf)

    def build_model(self):
        c = self.conf
        return Forecaster(c["history"], c["horizon"], c["quantiles"])

    def build_loader(self):
        c = self.conf
        return series.loader(self.series, c["history"], c["horizon"], c["batch_size"])

    def compute_loss(self, batch):
        past, weekday, future = batch
        return pinball(self.model(past, weekday), future, self.conf["quantiles"])


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("market", choices=sorted(confs.MARKETS))
    conf = confs.get(ap.parse_args().market)
    torch.manual_seed(conf["seed"])
    DemandTrainer(conf).train()
