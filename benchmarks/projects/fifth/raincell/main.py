import torch

from events import EventBus
from handlers import AdversarialPhase, Report
from networks import RainModel
from radar import RadarArchive
from trainer import NowcastTrainer


def main():
    torch.manual_seed(1)
    bus = EventBus()
    for listener in (AdversarialPhase(start=1, weight=0.1), Report()):
        listener.attach(bus)
    trainer = NowcastTrainer(RainModel(), bus)
    trainer.fit(RadarArchive(), epochs=3)


if __name__ == "__main__":
    main()
