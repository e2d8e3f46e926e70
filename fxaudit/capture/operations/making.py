"""Operations that make numbers of their own, or of what Python had."""

from __future__ import annotations

from functools import partial

from fxaudit.capture.operations.operation import Operation

__all__ = ["MAKING"]

made = partial(Operation, gradient="none", factory=True)
like = partial(Operation, gradient="none", takes="shape")
whole = partial(Operation, gradient="none", factory=True, dtype="int64")
fill = partial(Operation, fresh="numbers", gradient="steps")
drawn = partial(Operation, fresh="random", draws=True, gradient="steps")
read = partial(Operation, gradient="none", reads_python=True)

MAKING = (
    made("zeros", fresh="zeros", sized=True),
    made("ones", fresh="numbers", sized=True),
    made("full", fresh="numbers", reads_python=True),
    made("empty", fresh="memory", sized=True),
    made("empty_strided", fresh="memory"),
    made("eye", fresh="numbers"),
    made("linspace", fresh="numbers"),
    made("logspace", fresh="numbers"),
    made("bartlett_window", fresh="numbers"),
    made("blackman_window", fresh="numbers"),
    made("hamming_window", fresh="numbers"),
    made("hann_window", fresh="numbers"),
    made("kaiser_window", fresh="numbers"),
    made("rand", fresh="random", draws=True, sized=True),
    made("randn", fresh="random", draws=True, sized=True),
    whole("arange", fresh="numbers"),
    whole("tril_indices", fresh="numbers"),
    whole("triu_indices", fresh="numbers"),
    whole("randint", fresh="random", draws=True),
    whole("randperm", fresh="random", draws=True),
    # of the shape of another
    like("zeros_like", fresh="zeros"),
    like("ones_like", fresh="numbers"),
    like("full_like", fresh="numbers"),
    like("empty_like", fresh="memory"),
    like("rand_like", fresh="random", draws=True),
    like("randn_like", fresh="random", draws=True),
    like("randint_like", fresh="random", draws=True),
    like("new_zeros", fresh="zeros"),
    like("new_ones", fresh="numbers"),
    like("new_full", fresh="numbers"),
    like("new_empty", fresh="memory"),
    like("new_empty_strided", fresh="memory"),
    # in the place of another
    fill("zero_", fresh="zeros", overwrites="all"),
    fill("zeros_", fresh="zeros", overwrites="all"),
    fill("ones_", overwrites="all"),
    fill("fill", overwrites="all"),
    fill("constant_", overwrites="all"),
    fill("eye_", overwrites="all"),
    fill("dirac_", overwrites="all"),
    drawn("normal", factory=True),
    drawn("uniform_"),
    drawn("random_"),
    drawn("exponential_"),
    drawn("cauchy_"),
    drawn("log_normal_"),
    drawn("geometric_"),
    drawn("trunc_normal_"),
    drawn("kaiming_uniform_"),
    drawn("kaiming_normal_"),
    drawn("xavier_uniform_"),
    drawn("xavier_normal_"),
    drawn("orthogonal_"),
    drawn("sparse_"),
    # of what Python had
    read("tensor", factory=True, rewraps="always", of_zeros="zeros"),
    read("as_tensor", factory=True, gradient="passes", rewraps="lists", of_zeros="zeros"),
    read("asarray", factory=True, gradient="passes", rewraps="lists", of_zeros="zeros"),
    read("scalar_tensor", factory=True, rewraps="always", of_zeros="zeros"),
    read("from_numpy", factory=True, rewraps="always", of_zeros="zeros"),
    read("frombuffer", factory=True, rewraps="always", of_zeros="zeros"),
    Operation("new_tensor", gradient="none", rewraps="always", of_zeros="zeros"),
    Operation("Parameter", bookkeeping=True, rewraps="always", of_zeros="zeros"),
    Operation("Variable", gradient="none", rewraps="always", of_zeros="zeros"),
    Operation("Buffer", bookkeeping=True, rewraps="always", of_zeros="zeros"),
)
