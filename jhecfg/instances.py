"""Instances: the EC2 instance types that node groups may name: CPUs, memory, architecture, pods. Data, no decisions.

Pods are those of the Amazon VPC CNI without prefix delegation: network interfaces x (addresses each - 1) + 2
(awslabs/amazon-eks-ami and amazon-vpc-cni-k8s `eni-max-pods.txt`, 2026-08). CPUs and memory follow from family and size
(aws.amazon.com/ec2/instance-types). A family that is absent here is not wrong, only unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Literal, NamedTuple

Architecture = Literal["amd64", "arm64"]


class Instance(NamedTuple):
    """One instance type: `memory_gib` in GiB, `max_pods` as the kubelet on AL2023 counts them."""

    name: str
    architecture: Architecture
    cpus: int
    memory_gib: float
    max_pods: int

    @property
    def shape(self) -> tuple[Architecture, int, float]:
        """What must be alike within one node group, or the autoscaler guesses wrongly."""
        return (self.architecture, self.cpus, self.memory_gib)


# Size -> (CPUs, pods), by what carries the network: the classes that EC2 uses.
_NITRO = "large:2:29 xlarge:4:58 2xlarge:8:58 4xlarge:16:234 8xlarge:32:234 12xlarge:48:234 16xlarge:64:737"
_NITRO_24 = f"{_NITRO} 24xlarge:96:737"
_NITRO_48 = f"{_NITRO_24} 48xlarge:192:737"
_GRAVITON = f"medium:1:8 {_NITRO}"
_GRAVITON_4 = f"medium:1:8 {_NITRO_48}"
_INTEL_8_FLEX = "large:2:59 xlarge:4:118 2xlarge:8:118 4xlarge:16:394 8xlarge:32:492 12xlarge:48:590 16xlarge:64:1010"
_INTEL_8 = f"{_INTEL_8_FLEX} 24xlarge:96:1010 32xlarge:128:1514 48xlarge:192:1514 96xlarge:384:1514"
_AMD_8 = (
    "medium:1:8 large:2:59 xlarge:4:78 2xlarge:8:158 4xlarge:16:314 8xlarge:32:392 12xlarge:48:758 "
    "16xlarge:64:1010 24xlarge:96:1010 48xlarge:192:1514"
)
_C5 = (
    "large:2:29 xlarge:4:58 2xlarge:8:58 4xlarge:16:234 9xlarge:36:234 12xlarge:48:234 18xlarge:72:737 24xlarge:96:737"
)
_G4DN = "xlarge:4:29 2xlarge:8:29 4xlarge:16:29 8xlarge:32:58 12xlarge:48:234 16xlarge:64:58"
_G5 = (
    "xlarge:4:58 2xlarge:8:58 4xlarge:16:234 8xlarge:32:234 12xlarge:48:737 16xlarge:64:234 24xlarge:96:737 "
    "48xlarge:192:345"
)
_G6 = (
    "xlarge:4:58 2xlarge:8:58 4xlarge:16:234 8xlarge:32:234 12xlarge:48:234 16xlarge:64:737 24xlarge:96:737 "
    "48xlarge:192:737"
)

# Sizes, architecture, GiB of memory for each CPU, families.
_FAMILIES: tuple[tuple[str, Architecture, int, str], ...] = (
    (_NITRO_24, "amd64", 4, "m5 m5a"),
    (_NITRO_24, "amd64", 8, "r5 r5a"),
    (f"{_NITRO_24} 32xlarge:128:737", "amd64", 4, "m6i"),
    (f"{_NITRO_24} 32xlarge:128:737", "amd64", 8, "r6i"),
    (f"{_NITRO_24} 32xlarge:128:737", "amd64", 2, "c6i"),
    (f"{_NITRO_48} 32xlarge:128:737", "amd64", 4, "m6a"),
    (f"{_NITRO_48} 32xlarge:128:737", "amd64", 8, "r6a"),
    (f"{_NITRO_48} 32xlarge:128:737", "amd64", 2, "c6a"),
    (_NITRO_48, "amd64", 4, "m7i"),
    (_NITRO_48, "amd64", 8, "r7i"),
    (_NITRO_48, "amd64", 2, "c7i"),
    (_NITRO, "amd64", 4, "m7i-flex"),
    (_NITRO, "amd64", 2, "c7i-flex"),
    (f"{_GRAVITON_4} 32xlarge:128:737", "amd64", 4, "m7a"),
    (f"{_GRAVITON_4} 32xlarge:128:737", "amd64", 8, "r7a"),
    (f"{_GRAVITON_4} 32xlarge:128:737", "amd64", 2, "c7a"),
    (_INTEL_8, "amd64", 4, "m8i"),
    (_INTEL_8, "amd64", 8, "r8i"),
    (_INTEL_8, "amd64", 2, "c8i"),
    (_INTEL_8_FLEX, "amd64", 4, "m8i-flex"),
    (_INTEL_8_FLEX, "amd64", 8, "r8i-flex"),
    (_INTEL_8_FLEX, "amd64", 2, "c8i-flex"),
    (_AMD_8, "amd64", 4, "m8a"),
    (_AMD_8, "amd64", 8, "r8a"),
    (_GRAVITON, "arm64", 4, "m6g m7g"),
    (_GRAVITON, "arm64", 8, "r6g r7g"),
    (_GRAVITON, "arm64", 2, "c6g c7g"),
    (_GRAVITON_4, "arm64", 4, "m8g"),
    (_GRAVITON_4, "arm64", 8, "r8g"),
    (_GRAVITON_4, "arm64", 2, "c8g"),
    (_C5, "amd64", 2, "c5"),
    (_G4DN, "amd64", 4, "g4dn"),
    (_G5, "amd64", 4, "g5"),
    (_G6, "amd64", 4, "g6"),
)

# Burstable types follow no rule: size:CPUs:GiB:pods.
_BURSTABLE: tuple[tuple[Architecture, str, str], ...] = (
    (
        "amd64",
        "t2",
        "nano:1:0.5:4 micro:1:1:4 small:1:2:11 medium:2:4:17 large:2:8:35 xlarge:4:16:44 2xlarge:8:32:44",
    ),
    (
        "amd64",
        "t3",
        "nano:2:0.5:4 micro:2:1:4 small:2:2:11 medium:2:4:17 large:2:8:35 xlarge:4:16:58 2xlarge:8:32:58",
    ),
    (
        "amd64",
        "t3a",
        "nano:2:0.5:4 micro:2:1:4 small:2:2:8 medium:2:4:17 large:2:8:35 xlarge:4:16:58 2xlarge:8:32:58",
    ),
    (
        "arm64",
        "t4g",
        "nano:2:0.5:4 micro:2:1:4 small:2:2:11 medium:2:4:17 large:2:8:35 xlarge:4:16:58 2xlarge:8:32:58",
    ),
)


def find_instance(name: str) -> Instance | None:
    """Look an instance type up by its name, for example `m7i-flex.large`; None where it is unknown."""
    return instances().get(name)


@cache
def instances() -> dict[str, Instance]:
    """Return every known instance type by name; built on first use."""
    return {instance.name: instance for instance in (*_regular(), *_burstable())}


def _regular() -> Iterator[Instance]:
    for sizes, architecture, gib, families in _FAMILIES:
        for family in families.split():
            for row in sizes.split():
                size, cpus, pods = row.split(":")
                yield Instance(
                    name=f"{family}.{size}",
                    architecture=architecture,
                    cpus=int(cpus),
                    memory_gib=float(gib * int(cpus)),
                    max_pods=int(pods),
                )


def _burstable() -> Iterator[Instance]:
    for architecture, family, sizes in _BURSTABLE:
        for row in sizes.split():
            size, cpus, memory, pods = row.split(":")
            yield Instance(
                name=f"{family}.{size}",
                architecture=architecture,
                cpus=int(cpus),
                memory_gib=float(memory),
                max_pods=int(pods),
            )
