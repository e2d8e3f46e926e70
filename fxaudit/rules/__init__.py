"""All rules, in the order in which a cause is looked for: of several that hold, the first explains a parameter."""

from fxaudit.rule import Rule
from fxaudit.rules.backward_never_called import BackwardNeverCalled
from fxaudit.rules.checkpoint_inputs import CheckpointInputs
from fxaudit.rules.cleared_before_step import ClearedBeforeStep
from fxaudit.rules.custom_function import CustomFunctionReturnsNone
from fxaudit.rules.dead_end import DeadEndValue
from fxaudit.rules.detached import DetachedPath
from fxaudit.rules.empty_optimizer import EmptyOptimizer
from fxaudit.rules.excluded import LeftOut
from fxaudit.rules.expected_frozen import ExpectedFrozen
from fxaudit.rules.expected_trained import ExpectedTrained
from fxaudit.rules.flag_on_module import FlagOnModule
from fxaudit.rules.foreign_tensor import ForeignTensor
from fxaudit.rules.frozen_yet_held import FrozenYetHeld
from fxaudit.rules.held_twice import HeldTwice
from fxaudit.rules.hook_replaced_gradient import HookReplacedGradient
from fxaudit.rules.left_torch import LeftTorch
from fxaudit.rules.loss_cut import LossCutOff
from fxaudit.rules.lost_to_rounding import LostToRounding
from fxaudit.rules.made_in_forward import MadeInForward
from fxaudit.rules.never_called import ModuleNeverCalled
from fxaudit.rules.never_cleared import NeverCleared
from fxaudit.rules.never_read import ParameterNeverRead
from fxaudit.rules.never_synchronised import NeverSynchronised
from fxaudit.rules.no_grad_region import NoGradRegion
from fxaudit.rules.no_value_changed import NoValueChanged
from fxaudit.rules.non_differentiable import NonDifferentiable
from fxaudit.rules.nonfinite_gradient import NonFiniteGradient
from fxaudit.rules.not_a_leaf import NotALeaf
from fxaudit.rules.nothing_recorded import NothingRecorded
from fxaudit.rules.opaque_region import OpaqueRegion
from fxaudit.rules.replaced_after_optimizer import ReplacedAfterOptimizer
from fxaudit.rules.rewrapped import RewrappedTensor
from fxaudit.rules.rewritten_between_steps import RewrittenBetweenSteps
from fxaudit.rules.rounding_noise import RoundingNoise
from fxaudit.rules.scaler_skips import ScalerSkipsEveryStep
from fxaudit.rules.slot_reassigned import SlotReassigned
from fxaudit.rules.step_before_gradient import StepBeforeGradient
from fxaudit.rules.step_never_called import StepNeverCalled
from fxaudit.rules.symbolic_stopped import SymbolicTraceStopped
from fxaudit.rules.uneven_use import UnevenUse
from fxaudit.rules.unregistered import UnregisteredContainer
from fxaudit.rules.value_overwritten import ValueOverwritten
from fxaudit.rules.without_effect import WithoutEffect
from fxaudit.rules.zero_gradient import ZeroGradient
from fxaudit.rules.zero_learning_rate import ZeroLearningRate

__all__ = ["RULES"]

RULES: tuple[type[Rule], ...] = (
    SlotReassigned,
    ValueOverwritten,
    MadeInForward,
    ReplacedAfterOptimizer,
    NotALeaf,
    UnregisteredContainer,
    LossCutOff,
    OpaqueRegion,
    ModuleNeverCalled,
    ParameterNeverRead,
    CustomFunctionReturnsNone,
    DetachedPath,
    NoGradRegion,
    LeftTorch,
    RewrappedTensor,
    NonDifferentiable,
    CheckpointInputs,
    DeadEndValue,
    EmptyOptimizer,
    LeftOut,
    ForeignTensor,
    FlagOnModule,
    WithoutEffect,
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
    RoundingNoise,
    ExpectedFrozen,
    ExpectedTrained,
    SymbolicTraceStopped,
    NothingRecorded,
)
