"""Rules over everything that AWS runs for a site: the cluster, its nodes, its database. RULES is the registration."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from jhecfg.diagnostics import Finding
from jhecfg.rules.cluster import capacity, network, nodes, rds, versions, zones
from jhecfg.site import Site

RULES: tuple[Callable[[Site], Iterator[Finding]], ...] = (
    versions.unknown_region,
    versions.unsupported_kubernetes,
    versions.unknown_kubernetes,
    versions.kubernetes_support_ended,
    versions.chart_kubernetes,
    versions.unavailable_addon,
    versions.unused_addon_version,
    zones.zone_outside_region,
    zones.too_few_zones,
    zones.unknown_group_zone,
    zones.user_group_zones,
    zones.core_group_zones,
    network.unreachable_api,
    network.open_api,
    network.invalid_public_range,
    network.invalid_network,
    network.single_nat,
    network.foreign_kms_key,
    network.no_audit_log,
    network.auto_mode_node_groups,
    network.load_balancer_mode,
    network.shared_gateway,
    network.proxy_protocol_targets,
    nodes.duplicate_node_group,
    nodes.node_group_scaling,
    nodes.missing_instance_type,
    nodes.unknown_instance_type,
    nodes.unlike_instance_types,
    nodes.spot_core,
    nodes.few_spot_types,
    nodes.missing_node_group,
    nodes.too_few_core_nodes,
    nodes.reserved_node_label,
    nodes.duplicate_taint,
    nodes.tainted_core,
    capacity.small_core_node,
    capacity.node_without_room,
    capacity.too_few_pods,
    capacity.server_does_not_fit,
    rds.rds_needs_cluster,
    rds.rds_other_region,
    rds.rds_subnet_twice,
    rds.rds_engine_version,
    rds.rds_instance_class,
    rds.rds_storage,
    rds.rds_name,
    rds.application_is_master,
    rds.rds_host,
    rds.rds_single_zone,
    rds.rds_deletion_protection,
    rds.rds_few_backups,
)
