# one-stage detector, toy size
width = 6

model = dict(
    backbone=dict(type="SmallBackbone", width=width, frozen_stages=1),
    neck=dict(type="TopDown", width=width, levels=2),
    head=dict(
        type="AnchorHead",
        width=width,
        strides=[4, 8],
        scale=2.0,
        pos_iou=0.35,
    ),
)

data = dict(size=32, per_batch=4, seed=9)

optimizer = dict(type="SGD", lr=0.02, momentum=0.9)
runner = dict(max_iters=10, log_every=3)
