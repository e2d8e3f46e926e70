"""Products, sums over elements, layers and losses."""

from __future__ import annotations

from functools import partial

from fxaudit.capture.operations.operation import Operation

__all__ = ["LAYERS"]

product = partial(Operation, factors=True)
layer = partial(Operation, factors=True, bias=True)
norm = partial(Operation, of_zeros="zeros", normalises=True)
pool = partial(Operation, of_zeros="zeros")
total = partial(Operation, of_zeros="zeros", totals=True, reduces=True)
reduction = partial(Operation, reduces=True)
recurrent = partial(Operation, recurrent=True)
loss = partial(Operation, gradient="flat", rests=True)
distance = partial(Operation, gradient="unknown", measures=True)

LAYERS = (
    product("matmul", operator="matmul"),
    product("mm"),
    product("bmm"),
    product("mv"),
    product("dot"),
    product("outer", ("ger",)),
    product("inner"),
    product("einsum"),
    product("tensordot"),
    product("addbmm", scaled=(0, 1, 2)),
    product("addmv", scaled=(0, 1, 2)),
    product("addr", scaled=(0, 1, 2)),
    product("embedding", looks_up=True),
    product("embedding_bag", looks_up=True),
    # with a bias
    layer("linear"),
    layer("bilinear"),
    layer("addmm", scaled=(0, 1, 2)),
    layer("baddbmm", scaled=(0, 1, 2)),
    layer("conv1d"),
    layer("conv2d"),
    layer("conv3d"),
    layer("conv_transpose1d"),
    layer("conv_transpose2d"),
    layer("conv_transpose3d"),
    # attention and recurrence
    Operation("multi_head_attention_forward", bias=True, attends=True),
    Operation("scaled_dot_product_attention", attends=True),
    recurrent("lstm", bias=True),
    recurrent("gru", bias=True),
    recurrent("rnn_tanh", bias=True),
    recurrent("rnn_relu", bias=True),
    recurrent("lstm_cell"),
    recurrent("gru_cell"),
    recurrent("rnn_tanh_cell"),
    recurrent("rnn_relu_cell"),
    # normalisation and pooling
    norm("batch_norm"),
    norm("layer_norm"),
    norm("group_norm"),
    norm("instance_norm"),
    norm("rms_norm"),
    Operation("normalize", of_zeros="zeros", pointwise=True),
    pool("max_pool1d"),
    pool("max_pool2d"),
    pool("max_pool3d"),
    pool("avg_pool1d"),
    pool("avg_pool2d"),
    pool("avg_pool3d"),
    pool("adaptive_avg_pool1d"),
    pool("adaptive_avg_pool2d"),
    pool("adaptive_avg_pool3d"),
    # one number, or one for each row
    total("sum"),
    total("mean"),
    reduction("trapezoid", ("trapz",)),
    reduction("norm"),
    reduction("linalg_norm"),
    reduction("linalg_vector_norm"),
    reduction("prod"),
    reduction("std"),
    reduction("var"),
    reduction("logsumexp"),
    reduction("amax"),
    reduction("amin"),
    reduction("max", rests=True, parts="choice along"),
    reduction("min", parts="choice along"),
    reduction("median", parts="choice along"),
    reduction("nanmedian", parts="choice along"),
    reduction("mode", parts="choice"),
    reduction("kthvalue", parts="choice"),
    reduction("aminmax", parts="two"),
    reduction("std_mean", parts="two"),
    reduction("var_mean", parts="two"),
    Operation("cummax", parts="choice"),
    Operation("cummin", parts="choice"),
    Operation("frexp", parts="two"),
    Operation("slogdet", ("linalg_slogdet",), parts="two"),
    Operation("qr", ("linalg_qr",), parts="two"),
    Operation("eigh", ("linalg_eigh",), parts="two"),
    Operation("eig", ("linalg_eig",), parts="two"),
    # losses of a prediction and its target
    distance("mse_loss"),
    distance("l1_loss"),
    distance("smooth_l1_loss"),
    distance("huber_loss"),
    # losses that are zero where all is well
    loss("ctc_loss"),
    loss("hinge_embedding_loss"),
    loss("margin_ranking_loss"),
    loss("triplet_margin_loss"),
    loss("triplet_margin_with_distance_loss"),
    loss("multi_margin_loss"),
    loss("multilabel_margin_loss"),
    loss("cosine_embedding_loss"),
)
