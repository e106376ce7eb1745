"""Table: the commands, their options and arguments. Written by tools/make_completion.py, from cli/."""
# ruff: noqa: E501 - the words are those of the commands' help

from __future__ import annotations

from typing import NamedTuple


class Option(NamedTuple):
    """An option: its words, what follows it ("" for nothing), and what it is for."""

    words: tuple[str, ...]
    kind: str
    help: str


class Command(NamedTuple):
    """A command, or a group of them: what it does, its options, and what its arguments are; the last may repeat."""

    help: str
    options: tuple[Option, ...]
    arguments: tuple[str, ...]


COMMANDS: dict[str, Command] = {
    "": Command(
        "Compile JupyterHealth Exchange site specs into everything a site is made of.",
        (
            Option(("--version",), "", "Print the version and exit."),
            Option(("--install-completion",), "", "Let this shell, or the one named behind it, complete words."),
            Option(("--show-completion",), "", "Print what that takes: for bash, zsh or fish."),
            Option(("--help", "-h"), "", "Show this message and exit."),
        ),
        (),
    ),
    "build": Command(
        "Compile, judge, and write out/<site>/.",
        (
            Option(("--out",), "folder", "Folder of the outputs."),
            Option(("--jobs", "-j"), "text", "Processes to work in."),
            Option(("--shard",), "text", "Only the Ith of N parts of the sites, for N machines, as in 2/4."),
            Option(("--force",), "", "Overwrite hand-edited and foreign files that are in the way."),
            Option(("--strict",), "", "Let warnings fail."),
            Option(
                ("--validator",),
                "auto|builtin|kubeconform|none",
                "Schema judges: auto is builtin, and kubeconform where it is on PATH.",
            ),
            Option(("--format",), "text|json|github|sarif", "How diagnostics are written."),
            Option(("--quiet", "-q"), "", "Say only what is wrong."),
            Option(("--watch",), "", "Again whenever a spec changes; Ctrl-C ends it."),
            Option(("--exit-code",), "", "Exit with 3 when files were written or removed."),
            Option(("--help", "-h"), "", "Show this message and exit."),
        ),
        ("spec",),
    ),
    "check": Command(
        "Compile, judge, and exit with 3 if out/ is out of date.",
        (
            Option(("--out",), "folder", "Folder of the outputs."),
            Option(("--jobs", "-j"), "text", "Processes to work in."),
            Option(("--shard",), "text", "Only the Ith of N parts of the sites, for N machines, as in 2/4."),
            Option(("--strict",), "", "Let warnings fail."),
            Option(
                ("--validator",),
                "auto|builtin|kubeconform|none",
                "Schema judges: auto is builtin, and kubeconform where it is on PATH.",
            ),
            Option(("--format",), "text|json|github|sarif", "How diagnostics are written."),
            Option(("--quiet", "-q"), "", "Say only what is wrong."),
            Option(("--watch",), "", "Again whenever a spec changes; Ctrl-C ends it."),
            Option(("--help", "-h"), "", "Show this message and exit."),
        ),
        ("spec",),
    ),
    "diff": Command(
        "Print the unified diff that `build` would make.",
        (
            Option(("--out",), "folder", "Folder of the outputs."),
            Option(("--jobs", "-j"), "text", "Processes to work in."),
            Option(("--shard",), "text", "Only the Ith of N parts of the sites, for N machines, as in 2/4."),
            Option(
                ("--validator",),
                "auto|builtin|kubeconform|none",
                "Schema judges: auto is builtin, and kubeconform where it is on PATH.",
            ),
            Option(("--format",), "text|json|github|sarif", "How diagnostics are written."),
            Option(("--exit-code",), "", "Exit with 3 when there is a difference."),
            Option(("--help", "-h"), "", "Show this message and exit."),
        ),
        ("spec",),
    ),
    "explain": Command(
        "Say where a line of the output comes from, what a line of a spec does, what a key or a code means.",
        (
            Option(("--out",), "folder", "Folder of the outputs."),
            Option(("--format",), "text|json", "How the answer is written."),
            Option(("--help", "-h"), "", "Show this message and exit."),
        ),
        ("what", "spec"),
    ),
    "schema": Command(
        "Print the JSON Schema of the spec, for editors.",
        (Option(("--help", "-h"), "", "Show this message and exit."),),
        (),
    ),
    "graph": Command(
        "Print a picture of the site: who comes in where, what runs where, who may log in to which hub.",
        (
            Option(("--format",), "mermaid|svg", "mermaid, as in its runbook, or svg."),
            Option(("--help", "-h"), "", "Show this message and exit."),
        ),
        ("spec",),
    ),
    "init": Command(
        "Write a new spec, from a few answers or from what there is; each key with what it means.",
        (
            Option(
                ("--from",),
                "file",
                "Draft from what there is: Kubernetes objects, values of the JHE chart or of Zero to JupyterHub; - is standard input. May be given several times.",
            ),
            Option(("--yes", "-y"), "", "Ask nothing: flags and defaults are the answers."),
            Option(("--domain",), "text", "Host name of the Exchange."),
            Option(("--site",), "text", "Name of the site [FILE's, or the domain's first part]."),
            Option(("--contact",), "text", "E-mail address of who answers for the site."),
            Option(("--environment",), "production|staging|demo", "What the site is for [production]."),
            Option(("--image-tag",), "text", "Release of JHE [the newest known]."),
            Option(("--cluster",), "new|existing", "A new one on EKS, or one that exists [existing]."),
            Option(("--region",), "text", "AWS region of the new cluster."),
            Option(("--api-from",), "text", "Network that may reach the new cluster's API."),
            Option(
                ("--database",), "rds|existing", "With a new cluster: a new database, too, or one that exists [rds]."
            ),
            Option(("--database-host",), "text", "Host name of the PostgreSQL server."),
            Option(("--database-ca",), "text", "ConfigMap with the server's CA certificates; not for RDS."),
            Option(("--smtp-host",), "text", "Mail server."),
            Option(("--smtp-user",), "text", "User at the mail server [the contact]."),
            Option(("--hub",), "here|elsewhere|none", "JupyterHub: in this cluster, elsewhere, or none [here]."),
            Option(("--hub-name",), "text", "Name of the hub [hub]."),
            Option(("--hub-domain",), "text", "Host name of the hub."),
            Option(("--storage-class",), "text", "StorageClass of the hub's disks in a cluster that exists [gp3]."),
            Option(("--org",), "text", "Organization whose members may enter the hub."),
            Option(("--org-id",), "text", "Its id in JHE [20001]."),
            Option(("--org-type",), "text", "Its type [other]."),
            Option(("--gitops",), "none|argocd|flux", "What syncs the output into the cluster [none]."),
            Option(("--repo",), "text", "Git address of the repository with specs/ and out/."),
            Option(
                ("--secrets",), "existing|external-secrets|sealed-secrets|sops", "Where secrets are kept [existing]."
            ),
            Option(("--secrets-region",), "text", "AWS region of Secrets Manager."),
            Option(("--age-recipient",), "text", "sops: public key of who can decrypt."),
            Option(("--quiet", "-q"), "", "Say only what is wrong."),
            Option(("--help", "-h"), "", "Show this message and exit."),
        ),
        ("file",),
    ),
    "plan": Command(
        "Say what a change of the specs means: restarts, Jobs, outages, access, commands, the way back.",
        (
            Option(("--from",), "revision", "Git revision to compare with."),
            Option(("--against",), "file", "Compare with this file, without git."),
            Option(("--out",), "folder", "Folder of the outputs."),
            Option(("--format",), "text|json|markdown", "How the plan is written."),
            Option(("--limit",), "text", "Characters of the markdown at most; 0 is no limit."),
            Option(("--exit-code",), "", "Exit with 3 when anything changes."),
            Option(("--shard",), "text", "Only the Ith of N parts of the sites, for N machines, as in 2/4."),
            Option(("--help", "-h"), "", "Show this message and exit."),
        ),
        ("spec",),
    ),
    "set": Command(
        "Set values of a spec, add and delete hubs, orgs and others, and keep every other byte of it.",
        (
            Option(("--delete", "-d"), "key", "What to take away; may be repeated."),
            Option(("--dry-run",), "", "Show the diff, and write nothing."),
            Option(("--quiet", "-q"), "", "Say only what is wrong."),
            Option(("--help", "-h"), "", "Show this message and exit."),
        ),
        ("spec", "change"),
    ),
    "import": Command(
        "Take into a spec what others have made.", (Option(("--help", "-h"), "", "Show this message and exit."),), ()
    ),
    "import rds": Command(
        "Write the endpoint of the site's database into its spec.",
        (
            Option(("--dry-run",), "", "Show the change, and write nothing."),
            Option(("--quiet", "-q"), "", "Say only what is wrong."),
            Option(("--help", "-h"), "", "Show this message and exit."),
        ),
        ("spec", "file"),
    ),
    "secrets": Command(
        "Make, keep, seal and rotate the site's secrets.",
        (Option(("--help", "-h"), "", "Show this message and exit."),),
        (),
    ),
    "secrets list": Command(
        "Print every secret of the site: what for, how made, who reads it, what a change does.",
        (
            Option(
                ("--format",),
                "text|json|kubectl",
                "How it is written; `kubectl`: the commands that make the Secrets from files.",
            ),
            Option(("--help", "-h"), "", "Show this message and exit."),
        ),
        ("spec",),
    ),
    "secrets init": Command(
        "Make what is missing, into a local file that only you can read; ask for what only you know.",
        (
            Option(("--store",), "file", "The local file of the values [.secrets/<site>.yaml beside specs/]."),
            Option(("--from-file",), "text", "Take a value from a file, or a pipe."),
            Option(("--from-env",), "text", "Take a value from a variable."),
            Option(("--no-prompt",), "", "Ask for nothing, even on a terminal."),
            Option(("--quiet", "-q"), "", "Say only what is wrong."),
            Option(("--help", "-h"), "", "Show this message and exit."),
        ),
        ("spec",),
    ),
    "secrets show": Command(
        "Print one value to a program; never to a terminal.",
        (
            Option(("--store",), "file", "The local file of the values [.secrets/<site>.yaml beside specs/]."),
            Option(("--help", "-h"), "", "Show this message and exit."),
        ),
        ("spec", "text"),
    ),
    "secrets apply": Command(
        "Put the values into the cluster, or into AWS Secrets Manager: whichever the spec's backend says.",
        (
            Option(("--store",), "file", "The local file of the values [.secrets/<site>.yaml beside specs/]."),
            Option(("--replace",), "", "Replace what is there of these NAMEs, after a rotation."),
            Option(("--dry-run",), "", "Print the Secrets to a program, or the aws commands; send nothing."),
            Option(("--context",), "text", "The cluster, as kubectl knows it [the current]."),
            Option(("--quiet", "-q"), "", "Say only what is wrong."),
            Option(("--help", "-h"), "", "Show this message and exit."),
        ),
        ("spec", "text"),
    ),
    "secrets rotate": Command(
        "Put a new value into the local file; say what people will notice, and what to do next.",
        (
            Option(("--store",), "file", "The local file of the values [.secrets/<site>.yaml beside specs/]."),
            Option(("--finish",), "", "Drop the old value that stayed beside the new one."),
            Option(("--from-file",), "text", "Take a value from a file, or a pipe."),
            Option(("--from-env",), "text", "Take a value from a variable."),
            Option(("--no-prompt",), "", "Ask for nothing, even on a terminal."),
            Option(("--help", "-h"), "", "Show this message and exit."),
        ),
        ("spec", "text"),
    ),
    "secrets seal": Command(
        "Encrypt the values into files beside the spec, which git may hold; for sealed-secrets and sops.",
        (
            Option(("--store",), "file", "The local file of the values [.secrets/<site>.yaml beside specs/]."),
            Option(("--all",), "", "Encrypt all anew, also what did not change."),
            Option(("--quiet", "-q"), "", "Say only what is wrong."),
            Option(("--help", "-h"), "", "Show this message and exit."),
        ),
        ("spec",),
    ),
}
