import torch

from nets import set_encoder_training


def weighted_mean(reports, sizes):
    total = float(sum(sizes))
    return {
        key: (sum(r[key].double() * n for r, n in zip(reports, sizes)) / total).float()
        for key in reports[0]
    }


class Server:
    def __init__(self, net, clients, plan):
        self.net = net
        self.clients = clients
        self.plan = plan

    def round(self, number):
        set_encoder_training(self.net, number >= self.plan.heads_only_rounds)
        before = {k: v.clone() for k, v in self.net.encoder.state_dict().items()}
        reports, sizes, losses = [], [], []
        for client in self.clients:
            losses.append(client.train(self.net))
            reports.append(client.report(self.net))
            sizes.append(client.site.patients)
            self.net.encoder.load_state_dict(before)
        self.net.load_state_dict(weighted_mean(reports, sizes), strict=False)
        return losses
