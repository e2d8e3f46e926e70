"""All rules, in the order in which a cause is looked for: of several that hold, the first explains a parameter."""

from fxaudit.judge.rule import Rule
from fxaudit.judge.rules.expectations.expected_not_to_train import ExpectedNotToTrain
from fxaudit.judge.rules.expectations.expected_to_train import ExpectedToTrain
from fxaudit.judge.rules.loop.backward_never_called import BackwardNeverCalled
from fxaudit.judge.rules.loop.cleared_before_step import ClearedBeforeStep
from fxaudit.judge.rules.loop.never_cleared import NeverCleared
from fxaudit.judge.rules.loop.never_synchronised import NeverSynchronised
from fxaudit.judge.rules.loop.no_value_changed import NoValueChanged
from fxaudit.judge.rules.loop.rewritten_between_steps import RewrittenBetweenSteps
from fxaudit.judge.rules.loop.scaler_skips_every_step import ScalerSkipsEveryStep
from fxaudit.judge.rules.loop.step_before_gradient import StepBeforeGradient
from fxaudit.judge.rules.loop.step_never_called import StepNeverCalled
from fxaudit.judge.rules.loop.stops_later import StopsLater
from fxaudit.judge.rules.loop.uneven_use import UnevenUse
from fxaudit.judge.rules.optimizers.empty_optimizer import EmptyOptimizer
from fxaudit.judge.rules.optimizers.flag_on_module import FlagOnModule
from fxaudit.judge.rules.optimizers.foreign_tensor import ForeignTensor
from fxaudit.judge.rules.optimizers.frozen_by_a_slip import FrozenByASlip
from fxaudit.judge.rules.optimizers.frozen_yet_held import FrozenYetHeld
from fxaudit.judge.rules.optimizers.held_twice import HeldTwice
from fxaudit.judge.rules.optimizers.no_such_name import NoSuchName
from fxaudit.judge.rules.optimizers.not_in_optimizer import NotInOptimizer
from fxaudit.judge.rules.optimizers.without_effect import WithoutEffect
from fxaudit.judge.rules.optimizers.zero_learning_rate import ZeroLearningRate
from fxaudit.judge.rules.path.checkpoint_inputs import CheckpointInputs
from fxaudit.judge.rules.path.custom_function_returns_none import CustomFunctionReturnsNone
from fxaudit.judge.rules.path.dead_end import DeadEnd
from fxaudit.judge.rules.path.detached_path import DetachedPath
from fxaudit.judge.rules.path.inert_loss_term import InertLossTerm
from fxaudit.judge.rules.path.left_torch import LeftTorch
from fxaudit.judge.rules.path.loss_cut_off import LossCutOff
from fxaudit.judge.rules.path.module_never_called import ModuleNeverCalled
from fxaudit.judge.rules.path.no_grad_region import NoGradRegion
from fxaudit.judge.rules.path.non_differentiable import NonDifferentiable
from fxaudit.judge.rules.path.opaque_region import OpaqueRegion
from fxaudit.judge.rules.path.parameter_never_read import ParameterNeverRead
from fxaudit.judge.rules.path.rewrapped import Rewrapped
from fxaudit.judge.rules.registration.made_in_forward import MadeInForward
from fxaudit.judge.rules.registration.not_a_leaf import NotALeaf
from fxaudit.judge.rules.registration.replaced_after_optimizer import ReplacedAfterOptimizer
from fxaudit.judge.rules.registration.slot_reassigned import SlotReassigned
from fxaudit.judge.rules.registration.unregistered import Unregistered
from fxaudit.judge.rules.registration.value_overwritten import ValueOverwritten
from fxaudit.judge.rules.unseen.nothing_recorded import NothingRecorded
from fxaudit.judge.rules.unseen.symbolic_trace_stopped import SymbolicTraceStopped
from fxaudit.judge.rules.values.hook_replaced_gradient import HookReplacedGradient
from fxaudit.judge.rules.values.lost_to_rounding import LostToRounding
from fxaudit.judge.rules.values.non_finite_gradient import NonFiniteGradient
from fxaudit.judge.rules.values.rounding_noise import RoundingNoise
from fxaudit.judge.rules.values.zero_gradient import ZeroGradient

__all__ = ["RULES"]


class _Rules(tuple[type[Rule], ...]):
    """All rules; as the default of an argument they read as one word."""

    def __repr__(self) -> str:
        return "fxaudit.RULES"


RULES: tuple[type[Rule], ...] = _Rules(
    (
        SlotReassigned,
        ValueOverwritten,
        MadeInForward,
        ReplacedAfterOptimizer,
        NotALeaf,
        Unregistered,
        LossCutOff,
        OpaqueRegion,
        ModuleNeverCalled,
        ParameterNeverRead,
        CustomFunctionReturnsNone,
        DetachedPath,
        NoGradRegion,
        LeftTorch,
        Rewrapped,
        NonDifferentiable,
        CheckpointInputs,
        DeadEnd,
        InertLossTerm,
        EmptyOptimizer,
        NotInOptimizer,
        ForeignTensor,
        FlagOnModule,
        WithoutEffect,
        NoSuchName,
        FrozenByASlip,
        FrozenYetHeld,
        HeldTwice,
        ScalerSkipsEveryStep,
        BackwardNeverCalled,
        ClearedBeforeStep,
        StepBeforeGradient,
        StepNeverCalled,
        RewrittenBetweenSteps,
        ZeroLearningRate,
        HookReplacedGradient,
        ZeroGradient,
        NonFiniteGradient,
        LostToRounding,
        NoValueChanged,
        NeverCleared,
        NeverSynchronised,
        UnevenUse,
        StopsLater,
        RoundingNoise,
        ExpectedNotToTrain,
        ExpectedToTrain,
        SymbolicTraceStopped,
        NothingRecorded,
    )
)
