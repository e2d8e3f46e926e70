"""The nodes of `report.graph`, and simpler graphs made of it.

import networkx
from fxaudit.graph import ParameterNode, gradient_flow

flow = gradient_flow(report.graph)
networkx.has_path(flow, ParameterNode("encoder.weight"), loss)
"""

from fxaudit.answer.graph_nodes import (
    BufferNode,
    FxNode,
    GradFnNode,
    GroupNode,
    InputNode,
    LossNode,
    Node,
    OpNode,
    ParameterNode,
)
from fxaudit.answer.graph_questions import GraphComparison, GraphPath
from fxaudit.answer.networkx_face import data_flow, gradient_flow, plain

__all__ = [
    "BufferNode",
    "FxNode",
    "GradFnNode",
    "GraphComparison",
    "GraphPath",
    "GroupNode",
    "InputNode",
    "LossNode",
    "Node",
    "OpNode",
    "ParameterNode",
    "data_flow",
    "gradient_flow",
    "plain",
]
