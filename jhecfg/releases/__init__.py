"""Releases: what each JHE release reads, runs and needs, and the versions beside it. Data, no decisions."""

from __future__ import annotations

from jhecfg.releases.charts import CHARTS, Chart
from jhecfg.releases.eks import (
    BUILT_INTO_AUTO_MODE,
    EKS_VERSIONS,
    EKS_VERSIONS_ON,
    NEWEST_KUBERNETES,
    NODE_ADDONS,
)
from jhecfg.releases.exchange import (
    OLDEST,
    RELEASES,
    Feature,
    Release,
    SettingType,
    TooOld,
    find_release,
    is_moving_tag,
)
from jhecfg.releases.names import GONE, GONE_SETTINGS, MANAGED_ENV, MANAGED_SETTINGS, Gone
from jhecfg.releases.upgrade import Upgrade, upgrade

__all__ = [
    "BUILT_INTO_AUTO_MODE",
    "CHARTS",
    "EKS_VERSIONS",
    "EKS_VERSIONS_ON",
    "GONE",
    "GONE_SETTINGS",
    "MANAGED_ENV",
    "MANAGED_SETTINGS",
    "NEWEST_KUBERNETES",
    "NODE_ADDONS",
    "OLDEST",
    "RELEASES",
    "Chart",
    "Feature",
    "Gone",
    "Release",
    "SettingType",
    "TooOld",
    "Upgrade",
    "find_release",
    "is_moving_tag",
    "upgrade",
]
