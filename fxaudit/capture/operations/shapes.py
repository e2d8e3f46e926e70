"""Operations that give the same numbers in another shape, memory or type, or a part of them, or put them elsewhere."""

from __future__ import annotations

from functools import partial

from fxaudit.capture.operations.operation import Operation

__all__ = ["SHAPES"]

view = partial(Operation, view=True, of_zeros="zeros")
copy = partial(Operation, copies=True, of_zeros="zeros")
whole = partial(Operation, copies=True, of_zeros="zeros", gradient="none")
moved = partial(Operation, of_zeros="zeros")
taken = partial(Operation, selects=True, of_zeros="zeros")
joined = partial(Operation, joins=True, of_zeros="zeros")
put = partial(Operation, overwrites="part")

SHAPES = (
    # the same memory
    view("view"),
    view("view_as", takes="first"),
    view("reshape"),
    view("reshape_as", takes="first"),
    view("ravel"),
    view("flatten"),
    view("unflatten"),
    view("squeeze"),
    view("unsqueeze"),
    view("transpose", ("swapaxes", "swapdims")),
    view("permute"),
    view("movedim", ("moveaxis",)),
    view("t"),
    view("T"),
    view("mT"),
    view("H"),
    view("mH"),
    view("adjoint"),
    view("real"),
    view("imag"),
    view("expand"),
    view("expand_as", takes="first"),
    view("broadcast_to"),
    view("diagonal"),
    view("unfold"),
    view("as_strided"),
    view("share_memory_", steady=True),
    view("requires_grad_", bookkeeping=True, steady=True),
    view("detach", detaches=True),
    view("data", detaches=True),
    # a part of the same memory
    view("__getitem__", ("getitem",), selects=True),
    view("select", selects=True),
    view("narrow", selects=True),
    view("chunk", ("unsafe_chunk",), selects=True, parts="counted"),
    view("split", ("unsafe_split",), selects=True, parts="listed"),
    view("split_with_sizes", ("unsafe_split_with_sizes",), selects=True, parts="listed"),
    view("tensor_split", selects=True, parts="counted or listed"),
    view("hsplit", selects=True, parts="counted or listed"),
    view("vsplit", selects=True, parts="counted or listed"),
    view("dsplit", selects=True, parts="counted or listed"),
    view("unbind", selects=True, parts="unbound"),
    view("broadcast_tensors", parts="given"),
    view("atleast_1d", parts="given"),
    view("atleast_2d", parts="given"),
    view("atleast_3d", parts="given"),
    # other memory, type or device
    copy("clone", pointwise=True),
    copy("__deepcopy__"),
    copy("detach_copy", gradient="none"),
    copy("contiguous", pointwise=True),
    copy("cpu"),
    copy("cuda"),
    copy("to", takes="first", pointwise=True),
    copy("type"),
    copy("type_as", takes="first", pointwise=True),
    copy("float", dtype="float32", pointwise=True),
    copy("double", dtype="float64"),
    copy("half", dtype="float16"),
    copy("bfloat16", dtype="bfloat16"),
    whole("bool", dtype="bool"),
    whole("byte", dtype="uint8"),
    whole("char", dtype="int8"),
    whole("short", dtype="int16"),
    whole("int", dtype="int32"),
    whole("long", dtype="int64"),
    # the same numbers at other places
    moved("repeat"),
    moved("roll"),
    moved("flip"),
    moved("fold"),
    moved("tril", preserves=True),
    moved("triu", preserves=True),
    moved("sort", parts="choice"),
    moved("topk", parts="choice"),
    moved("meshgrid", parts="given"),
    # a part
    taken("index_select"),
    taken("gather"),
    taken("take"),
    taken("take_along_dim"),
    taken("masked_select", counts=True),
    # several in one
    joined("cat", ("concat", "concatenate")),
    joined("stack"),
    joined("hstack"),
    joined("vstack", ("row_stack",)),
    joined("dstack"),
    joined("column_stack"),
    joined("pad"),
    # something else at the place of a part, or of all
    put("__setitem__", ("setitem",), in_place=True, preserves=True),
    put("index_put", ("_unsafe_index_put",)),
    put("index_copy"),
    put("index_fill", preserves=True),
    put("fill_diagonal_", preserves=True),
    put("scatter"),
    put("select_scatter"),
    put("slice_scatter"),
    put("diagonal_scatter"),
    put("masked_scatter", gradient="flat", masks=True),
    put("copy_", overwrites="all", of_zeros="zeros"),
    put("set_", overwrites="all"),
    put("data.__set__", overwrites="all", of_zeros="zeros", detaches=True, in_place=True),
    put("swap_tensors", overwrites="all", in_place=True),
    Operation("resize"),
    Operation("rename_", steady=True),
    Operation("renorm", preserves=True),
)
