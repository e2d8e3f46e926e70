from dataclasses import dataclass, field


@dataclass(frozen=True)
class LocalPlan:
    lr: float = 0.05
    steps: int = 3
    momentum: float = 0.5


@dataclass(frozen=True)
class SitePlan:
    name: str
    patients: int
    shift: float = 0.0


@dataclass(frozen=True)
class FederationPlan:
    rounds: int = 3
    shared: str = "encoder."  # what travels; everything else stays at the site
    heads_only_rounds: int = 1
    local: LocalPlan = field(default_factory=LocalPlan)
    sites: tuple[SitePlan, ...] = (
        SitePlan("lakeside", 40, 0.3),
        SitePlan("northgate", 30, -0.2),
        SitePlan("old-town", 20),
    )
    own_heads: tuple[str, ...] = ("lakeside", "northgate")
