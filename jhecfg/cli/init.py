"""init: a new spec."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jhecfg.cli.app import app
from jhecfg.cli.words import Quiet, talk

# One flag for each question of draft/questions.py; they are text here, and judged there, in the spec's words.
Domain = Annotated[str | None, typer.Option("--domain", metavar="HOST", help="Host name of the Exchange.")]
Site = Annotated[
    str | None, typer.Option("--site", metavar="NAME", help="Name of the site [FILE's, or the domain's first part].")
]
Contact = Annotated[
    str | None, typer.Option("--contact", metavar="EMAIL", help="E-mail address of who answers for the site.")
]
Environment = Annotated[
    str | None,
    typer.Option("--environment", metavar="[production|staging|demo]", help="What the site is for [production]."),
]
ImageTag = Annotated[str | None, typer.Option("--image-tag", metavar="TAG", help="Release of JHE [the newest known].")]
Cluster = Annotated[
    str | None,
    typer.Option("--cluster", metavar="[new|existing]", help="A new one on EKS, or one that exists [existing]."),
]
Region = Annotated[str | None, typer.Option("--region", metavar="REGION", help="AWS region of the new cluster.")]
ApiFrom = Annotated[
    str | None, typer.Option("--api-from", metavar="CIDR", help="Network that may reach the new cluster's API.")
]
Database = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="[rds|existing]",
        help="With a new cluster: a new database, too, or one that exists [rds].",
    ),
]
DatabaseHost = Annotated[
    str | None, typer.Option("--database-host", metavar="HOST", help="Host name of the PostgreSQL server.")
]
DatabaseCa = Annotated[
    str | None,
    typer.Option("--database-ca", metavar="NAME", help="ConfigMap with the server's CA certificates; not for RDS."),
]
SmtpHost = Annotated[str | None, typer.Option("--smtp-host", metavar="HOST", help="Mail server.")]
SmtpUser = Annotated[
    str | None, typer.Option("--smtp-user", metavar="USER", help="User at the mail server [the contact].")
]
Hub = Annotated[
    str | None,
    typer.Option(
        "--hub", metavar="[here|elsewhere|none]", help="JupyterHub: in this cluster, elsewhere, or none [here]."
    ),
]
HubName = Annotated[str | None, typer.Option("--hub-name", metavar="NAME", help="Name of the hub [hub].")]
HubDomain = Annotated[str | None, typer.Option("--hub-domain", metavar="HOST", help="Host name of the hub.")]
StorageClass = Annotated[
    str | None,
    typer.Option(
        "--storage-class", metavar="NAME", help="StorageClass of the hub's disks in a cluster that exists [gp3]."
    ),
]
Org = Annotated[str | None, typer.Option("--org", metavar="NAME", help="Organization whose members may enter the hub.")]
OrgId = Annotated[str | None, typer.Option("--org-id", metavar="ID", help="Its id in JHE [20001].")]
OrgType = Annotated[str | None, typer.Option("--org-type", metavar="TYPE", help="Its type [other].")]
Gitops = Annotated[
    str | None,
    typer.Option("--gitops", metavar="[none|argocd|flux]", help="What syncs the output into the cluster [none]."),
]
Repo = Annotated[
    str | None, typer.Option("--repo", metavar="URL", help="Git address of the repository with specs/ and out/.")
]
Secrets = Annotated[
    str | None,
    typer.Option(
        "--secrets",
        metavar="[existing|external-secrets|sealed-secrets|sops]",
        help="Where secrets are kept [existing].",
    ),
]
SecretsRegion = Annotated[
    str | None, typer.Option("--secrets-region", metavar="REGION", help="AWS region of Secrets Manager.")
]
AgeRecipient = Annotated[
    str | None, typer.Option("--age-recipient", metavar="age1…", help="sops: public key of who can decrypt.")
]


@app.command(short_help="Write a new spec, from a few answers or from what you have.")
def init(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]", readable=False, allow_dash=True, help="The new spec [specs/<site>.yaml]; - prints it."
        ),
    ] = None,
    inputs: Annotated[
        list[Path] | None,
        typer.Option(
            "--from",
            metavar="FILE",
            readable=False,
            allow_dash=True,
            help="Draft from what there is: Kubernetes objects, values of the JHE chart or of Zero to JupyterHub; "
            "- is standard input. May be given several times.",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing: flags and defaults are the answers.")] = False,
    domain: Domain = None,
    site: Site = None,
    contact: Contact = None,
    environment: Environment = None,
    image_tag: ImageTag = None,
    cluster: Cluster = None,
    region: Region = None,
    api_from: ApiFrom = None,
    database: Database = None,
    database_host: DatabaseHost = None,
    database_ca: DatabaseCa = None,
    smtp_host: SmtpHost = None,
    smtp_user: SmtpUser = None,
    hub: Hub = None,
    hub_name: HubName = None,
    hub_domain: HubDomain = None,
    storage_class: StorageClass = None,
    org: Org = None,
    org_id: OrgId = None,
    org_type: OrgType = None,
    gitops: Gitops = None,
    repo: Repo = None,
    secrets: Secrets = None,
    secrets_region: SecretsRegion = None,
    age_recipient: AgeRecipient = None,
    quiet: Quiet = False,
) -> None:
    """Write a new spec, from a few answers or from what there is; each key with what it means.

    Asks on a terminal; elsewhere the flags are the answers. Nothing that exists is changed, and no secret comes along.
    """
    said = {name.replace("_", "-"): value for name, value in locals().items() if isinstance(value, str)}
    from jhecfg.commands.init import init as command

    raise typer.Exit(command(file, inputs or (), said, talk("text", quiet), ask=not yes))
