"""rds(): a CloudFormation template for the site's PostgreSQL database, beside the cluster or in a network that exists.

Literal values, no Parameters: cfn-lint checks an engine version or instance class only where it is written out. Long
forms (`Fn::GetAtt`), no YAML tags and no anchors: the tree stays plain, and CloudFormation refuses aliases.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from jhecfg.artifact import Artifact, Tree
from jhecfg.render.cluster import SITE_TAG, partition, stack_name
from jhecfg.render.judges import excused_resource
from jhecfg.site import Cluster, Rds, Site, Vpc


class Network(NamedTuple):
    """Where the instance lives: the values that CloudFormation wants, and the same in words."""

    name: str
    subnets: str
    subnet_ids: Tree | list[str]
    vpc_id: Tree | str
    clients: dict[str, tuple[str, Tree | str]]
    """Security groups that may connect, by the name of their rule: in words, and for CloudFormation."""


def rds(site: Site) -> Iterator[Artifact]:
    """Render `cluster/rds.cfn.yaml` where the spec describes the database, and a network for it."""
    instance, network = site.database.rds, network_of(site)
    if instance is not None and network is not None:
        yield Artifact("cluster/rds.cfn.yaml", template(site, instance, network), note=_note(site, instance))


def network_of(site: Site) -> Network | None:
    """Return the network of the instance: one that exists, or the one that eksctl makes for the cluster."""
    instance = site.database.rds
    if instance is not None and instance.vpc is not None:
        return _existing(instance.vpc)
    return _of_eksctl(site.cluster) if site.cluster is not None else None


def _existing(vpc: Vpc) -> Network:
    return Network(
        name=vpc.id,
        subnets=f"Subnets of {vpc.id}",
        subnet_ids=list(vpc.subnets),
        vpc_id=vpc.id,
        clients={f"IngressFrom{group.removeprefix('sg-')}": (group, group) for group in vpc.allow_from},
    )


def _of_eksctl(cluster: Cluster) -> Network:
    """Import what the stack that eksctl made exports (eksctl 0.230: VPC, SubnetsPrivate, ClusterSecurityGroupId)."""
    stack = stack_name(cluster)
    # Managed groups and Auto Mode both run in EKS's own cluster security group.
    group = {"Fn::ImportValue": f"{stack}::ClusterSecurityGroupId"}
    return Network(
        name=f"EKS cluster {cluster.name}",
        subnets=f"Private subnets of {stack}",
        # The export is one text with commas, in no order to rely on.
        subnet_ids={"Fn::Split": [",", {"Fn::ImportValue": f"{stack}::SubnetsPrivate"}]},
        vpc_id={"Fn::ImportValue": f"{stack}::VPC"},
        clients={"IngressFromCluster": ("the EKS cluster security group", group)},
    )


def template(site: Site, instance: Rds, network: Network) -> Tree:
    """Return the template."""
    clients = network.clients.items()
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"JupyterHealth Exchange {site.name}: PostgreSQL beside {network.name}",
        "Resources": {
            "SubnetGroup": _subnet_group(site, network),
            "SecurityGroup": _security_group(site, network),
            **{name: _ingress(site, words, group) for name, (words, group) in clients},
            "ParameterGroup": _parameter_group(site, instance),
            **({"MonitoringRole": _monitoring_role(site, instance)} if instance.enhanced_monitoring else {}),
            "Database": _database(site, instance),
        },
        "Outputs": _outputs(site, instance),
    }


def _ref(resource: str) -> Tree:
    return {"Ref": resource}


def _attribute(resource: str, name: str) -> Tree:
    return {"Fn::GetAtt": [resource, name]}


def _tags(site: Site) -> list[Tree]:
    return [{"Key": SITE_TAG, "Value": site.name}]


def _subnet_group(site: Site, network: Network) -> Tree:
    return {
        "Type": "AWS::RDS::DBSubnetGroup",
        "Properties": {
            "DBSubnetGroupDescription": network.subnets,
            "SubnetIds": network.subnet_ids,
            "Tags": _tags(site),
        },
    }


def _security_group(site: Site, network: Network) -> Tree:
    return {
        "Type": "AWS::EC2::SecurityGroup",
        "Properties": {
            "GroupDescription": f"PostgreSQL from the nodes of {network.name}",
            "VpcId": network.vpc_id,
            # A rule that matches nothing takes the place of the default one, which allows everything.
            "SecurityGroupEgress": [
                {"IpProtocol": "-1", "CidrIp": "127.0.0.1/32", "Description": "No outbound traffic"}
            ],
            "Tags": _tags(site),
        },
    }


def _ingress(site: Site, words: str, group: Tree | str) -> Tree:
    """Let one security group in."""
    return {
        "Type": "AWS::EC2::SecurityGroupIngress",
        "Properties": {
            "GroupId": _attribute("SecurityGroup", "GroupId"),
            "IpProtocol": "tcp",
            "FromPort": site.database.port,
            "ToPort": site.database.port,
            "Description": f"PostgreSQL from {words}",
            "SourceSecurityGroupId": group,
        },
    }


def _parameter_group(site: Site, instance: Rds) -> Tree:
    return {
        "Type": "AWS::RDS::DBParameterGroup",
        "Properties": {
            "Family": f"postgres{instance.engine_version.split('.')[0]}",
            "Description": f"JupyterHealth Exchange {site.name}",
            "Parameters": {"rds.force_ssl": "1"},
            "Tags": _tags(site),
        },
    }


def _monitoring_role(site: Site, instance: Rds) -> Tree:
    """Return the role by which RDS writes what it measures; for this account's databases and nobody else's."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "monitoring.rds.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": _ref("AWS::AccountId")}},
    }
    policy = f"arn:{partition(instance.region)}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "Description": f"JupyterHealth Exchange {site.name}: RDS writes the metrics of its operating system",
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
            "ManagedPolicyArns": [policy],
            "Tags": _tags(site),
        },
    }


def _database(site: Site, instance: Rds) -> Tree:
    resource = {
        "Type": "AWS::RDS::DBInstance",
        "DeletionPolicy": "Snapshot",
        "UpdateReplacePolicy": "Snapshot",
        # No DBInstanceIdentifier: a change that replaces the instance would stop at the name that is taken.
        "Properties": {**_engine(instance), **_storage(instance), **_access(site, instance), **_care(site, instance)},
    }
    return excused_resource(resource)


def _engine(instance: Rds) -> Tree:
    return {
        "Engine": "postgres",
        "EngineVersion": instance.engine_version,
        "AutoMinorVersionUpgrade": True,
        "AllowMajorVersionUpgrade": False,
        "DBInstanceClass": instance.instance_class,
        "MultiAZ": instance.multi_az,
        "DBParameterGroupName": _ref("ParameterGroup"),
    }


def _storage(instance: Rds) -> Tree:
    return {
        "StorageType": "gp3",
        "AllocatedStorage": str(instance.storage_gib),
        "MaxAllocatedStorage": instance.max_storage_gib,
        "StorageEncrypted": True,
    }


def _access(site: Site, instance: Rds) -> Tree:
    return {
        "DBName": site.database.name,
        "MasterUsername": instance.master_user,
        # RDS makes this password, keeps it in its own secret, and changes it every seven days.
        "ManageMasterUserPassword": True,
        "Port": str(site.database.port),
        "PubliclyAccessible": False,
        "NetworkType": "IPV4",
        "DBSubnetGroupName": _ref("SubnetGroup"),
        "VPCSecurityGroups": [_attribute("SecurityGroup", "GroupId")],
    }


def _care(site: Site, instance: Rds) -> Tree:
    return {
        "BackupRetentionPeriod": instance.backup_days,
        "PreferredBackupWindow": "07:00-08:00",
        "PreferredMaintenanceWindow": "sun:08:30-sun:09:30",
        "CopyTagsToSnapshot": True,
        "DeleteAutomatedBackups": False,
        "DeletionProtection": instance.deletion_protection,
        "EnablePerformanceInsights": True,
        "PerformanceInsightsRetentionPeriod": 7,
        "DatabaseInsightsMode": "standard",
        **_monitoring(instance),
        "EnableCloudwatchLogsExports": ["postgresql", "upgrade"],
        "Tags": _tags(site),
    }


def _monitoring(instance: Rds) -> Tree:
    if not instance.enhanced_monitoring:
        return {"MonitoringInterval": 0}
    return {"MonitoringInterval": 60, "MonitoringRoleArn": _attribute("MonitoringRole", "Arn")}


def _outputs(site: Site, instance: Rds) -> Tree:
    return {
        "Endpoint": {
            "Description": "database.host of the spec",
            "Value": _attribute("Database", "Endpoint.Address"),
            "Export": {"Name": f"{instance.stack}::Endpoint"},
        },
        "Port": {
            "Description": "database.port of the spec",
            "Value": _attribute("Database", "Endpoint.Port"),
        },
        "DatabaseName": {"Description": "database.name of the spec", "Value": site.database.name},
        "MasterSecretArn": {
            "Description": "Secret of the master user, made and rotated by RDS; keys username and password",
            "Value": _attribute("Database", "MasterUserSecret.SecretArn"),
            "Export": {"Name": f"{instance.stack}::MasterSecretArn"},
        },
        "InstanceIdentifier": {"Value": _ref("Database")},
        "SecurityGroupId": {"Value": _attribute("SecurityGroup", "GroupId")},
    }


def deploy_options(instance: Rds) -> tuple[str, ...]:
    """Return the options by which CloudFormation takes the template; a role in it has to be allowed by name."""
    role = ("--capabilities CAPABILITY_IAM",) if instance.enhanced_monitoring else ()
    return ("--template-file cluster/rds.cfn.yaml", *role)


def _note(site: Site, instance: Rds) -> tuple[str, ...]:
    where = f"--region {instance.region} --stack-name {instance.stack}"
    imports = (
        (f"It imports from {stack_name(site.cluster)}: eksctl cannot delete the cluster while this stack exists.",)
        if instance.vpc is None and site.cluster is not None
        else ()
    )
    return (
        "After the cluster, in its account, in this site's folder:",
        f"aws cloudformation deploy {where} {' '.join(deploy_options(instance))}",
        "RUNBOOK.md has the step that writes its endpoint into the spec.",
        *imports,
        "The application has a user of its own, not the master user: RUNBOOK.md has the step that makes it.",
    )
