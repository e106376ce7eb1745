"""The edge, whichever controller it has: its phase, what it promises and blocks, its load balancer."""

from __future__ import annotations

from jhecfg.artifact import Tree
from jhecfg.site import Site

FOLDER = "manifests/60-routes"
HSTS = "max-age=31536000"
# Any JHE user may register an OAuth application there (run on v0.0.10 … main).
BLOCKED = "/o/applications"

_AWS = "service.beta.kubernetes.io/aws-load-balancer-"


def load_balancer(site: Site) -> Tree:
    """Return the class and annotations of an internet-facing NLB, for whatever makes it."""
    edge = site.edge
    proxy_protocol = {f"{_AWS}proxy-protocol": "*"} if edge.proxy_protocol else {}
    if edge.load_balancer == "in-tree":
        annotations = {
            f"{_AWS}type": "nlb",
            # Where the AWS Load Balancer Controller runs after all, it takes this Service too, as an internal one.
            f"{_AWS}scheme": "internet-facing",
            f"{_AWS}backend-protocol": "tcp",
            f"{_AWS}cross-zone-load-balancing-enabled": "true",
        }
        return {"annotations": {**annotations, **proxy_protocol}}
    lb_class = "eks.amazonaws.com/nlb" if edge.load_balancer == "auto-mode" else "service.k8s.aws/nlb"
    annotations = {
        f"{_AWS}scheme": "internet-facing",
        # With IP targets the client's address survives only by proxy protocol; with instance targets it is kept.
        f"{_AWS}nlb-target-type": "ip" if edge.proxy_protocol else "instance",
        f"{_AWS}attributes": "load_balancing.cross_zone.enabled=true",
    }
    return {"loadBalancerClass": lb_class, "annotations": {**annotations, **proxy_protocol}}
