"""rds(): a CloudFormation template for the PostgreSQL database of a site whose cluster eksctl makes.

Literal values, no Parameters: cfn-lint checks an engine version or instance class only where it is written out. Long
forms (`Fn::GetAtt`), no YAML tags and no anchors: the tree stays plain, and CloudFormation refuses aliases.
"""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.artifact import Artifact, Tree
from jhecfg.render.cluster import SITE_TAG, stack_name
from jhecfg.site import Cluster, Rds, Site


def rds(site: Site) -> Iterator[Artifact]:
    """Render `cluster/rds.cfn.yaml` where the spec describes the database and the cluster that it lives beside."""
    instance, cluster = site.database.rds, site.cluster
    if instance is not None and cluster is not None:
        yield Artifact("cluster/rds.cfn.yaml", template(site, instance, cluster), note=_note(instance, cluster))


def template(site: Site, instance: Rds, cluster: Cluster) -> Tree:
    """Return the template."""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"JupyterHealth Exchange {site.name}: PostgreSQL beside EKS cluster {cluster.name}",
        "Resources": {
            "SubnetGroup": _subnet_group(site, cluster),
            "SecurityGroup": _security_group(site, cluster),
            "IngressFromCluster": _ingress(site, cluster),
            "ParameterGroup": _parameter_group(site, instance),
            "Database": _database(site, instance),
        },
        "Outputs": _outputs(site, instance),
    }


def _import(cluster: Cluster, output: str) -> Tree:
    """Import an output of the stack that eksctl made (eksctl 0.230: VPC, SubnetsPrivate, ClusterSecurityGroupId)."""
    return {"Fn::ImportValue": f"{stack_name(cluster)}::{output}"}


def _ref(resource: str) -> Tree:
    return {"Ref": resource}


def _attribute(resource: str, name: str) -> Tree:
    return {"Fn::GetAtt": [resource, name]}


def _tags(site: Site) -> list[Tree]:
    return [{"Key": SITE_TAG, "Value": site.name}]


def _subnet_group(site: Site, cluster: Cluster) -> Tree:
    return {
        "Type": "AWS::RDS::DBSubnetGroup",
        "Properties": {
            "DBSubnetGroupDescription": f"Private subnets of {stack_name(cluster)}",
            # The export is one text with commas, in no order to rely on.
            "SubnetIds": {"Fn::Split": [",", _import(cluster, "SubnetsPrivate")]},
            "Tags": _tags(site),
        },
    }


def _security_group(site: Site, cluster: Cluster) -> Tree:
    return {
        "Type": "AWS::EC2::SecurityGroup",
        "Properties": {
            "GroupDescription": f"PostgreSQL from the nodes of EKS cluster {cluster.name}",
            "VpcId": _import(cluster, "VPC"),
            # A rule that matches nothing takes the place of the default one, which allows everything.
            "SecurityGroupEgress": [
                {"IpProtocol": "-1", "CidrIp": "127.0.0.1/32", "Description": "No outbound traffic"}
            ],
            "Tags": _tags(site),
        },
    }


def _ingress(site: Site, cluster: Cluster) -> Tree:
    """Let in the nodes: managed groups and Auto Mode both run in EKS's own cluster security group."""
    return {
        "Type": "AWS::EC2::SecurityGroupIngress",
        "Properties": {
            "GroupId": _attribute("SecurityGroup", "GroupId"),
            "IpProtocol": "tcp",
            "FromPort": site.database.port,
            "ToPort": site.database.port,
            "Description": "PostgreSQL from the EKS cluster security group",
            "SourceSecurityGroupId": _import(cluster, "ClusterSecurityGroupId"),
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


def _database(site: Site, instance: Rds) -> Tree:
    return {
        "Type": "AWS::RDS::DBInstance",
        "DeletionPolicy": "Snapshot",
        "UpdateReplacePolicy": "Snapshot",
        # No DBInstanceIdentifier: a change that replaces the instance would stop at the name that is taken.
        "Properties": {**_engine(instance), **_storage(instance), **_access(site, instance), **_care(site, instance)},
    }


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
        "EnableCloudwatchLogsExports": ["postgresql", "upgrade"],
        "Tags": _tags(site),
    }


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


def _note(instance: Rds, cluster: Cluster) -> tuple[str, ...]:
    where = f"--region {cluster.region} --stack-name {instance.stack}"
    return (
        "After the cluster, in its account, in this site's folder:",
        f"aws cloudformation deploy {where} --template-file cluster/rds.cfn.yaml",
        f"Then write the Endpoint into database.host: aws cloudformation describe-stacks {where}",
        f"It imports from {stack_name(cluster)}: eksctl cannot delete the cluster while this stack exists.",
        "The application has a user of its own, not the master user: RUNBOOK.md has the step that makes it.",
    )
