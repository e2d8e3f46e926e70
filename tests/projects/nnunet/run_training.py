import argparse

from nnunet.training import nnUNetTrainerV2 as trainers

PLANS = {"num_pool": 3, "num_classes": 2, "base_num_features": 4, "batch_size": 2, "patch_size": (16, 16), "initial_lr": 1e-2}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--network_trainer", default="nnUNetTrainerV2")
    parser.add_argument("-o", "--output_folder", default="results")
    parser.add_argument("-e", "--epochs", type=int, default=3)
    args = parser.parse_args()
    trainer_class = getattr(trainers, args.network_trainer)
    trainer = trainer_class(PLANS, args.output_folder)
    trainer.max_num_epochs = args.epochs
    trainer.initialize(True)
    trainer.run_training()


if __name__ == "__main__":
    main()
