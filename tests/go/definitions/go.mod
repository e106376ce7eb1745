// What custom resources are: the modules below hold the CustomResourceDefinitions that `tools/install cluster` copies.
// Nothing here is compiled. Versions are those that jhecfg/releases.py delivers, where the module proxy has them:
// of external-secrets it has no 2.x.
module jhecfg.test/definitions

go 1.26.0

require (
	github.com/argoproj/argo-cd/v3 v3.5.7
	github.com/bitnami-labs/sealed-secrets v0.40.0
	github.com/cert-manager/cert-manager v1.21.1
	github.com/envoyproxy/gateway v1.9.0
	github.com/external-secrets/external-secrets v1.3.2
	github.com/fluxcd/helm-controller v1.6.3
	github.com/fluxcd/kustomize-controller v1.9.4
	github.com/fluxcd/source-controller v1.9.1
)
