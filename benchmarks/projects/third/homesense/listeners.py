"""What happens around a step, as reactions to events."""

# which tasks have joined, from which step on
CURRICULUM = (
    (0, ("occupancy", "temperature")),
    (3, ("occupancy", "temperature", "power")),
)


def joined(step):
    active = ()
    for since, names in CURRICULUM:
        if step >= since:
            active = names
    return active


def install(bus, model, main_opt, weight_opt):
    @bus.on("step.begin")
    def clear(step):
        main_opt.zero_grad()
        weight_opt.zero_grad()

    @bus.on("grads.ready")
    def silence_others(step):
        active = joined(step)
        for name, head in model.heads.items():
            if name not in active:
                head.zero_grad()

    @bus.on("grads.ready")
    def update_net(step):
        main_opt.step()

    @bus.on("net.updated")
    def update_weighting(step):
        weight_opt.step()
