// Package kustomize renders a directory with a kustomization.yaml to Kubernetes manifests: the same bytes as kustomize
// v5.8.1, in time linear in the number of documents. It reads through a small file system interface, does no work at
// init and keeps no state between builds, so builds may run side by side. It never speaks to a cluster and knows no
// flags: the command lives in kustomize/command.
package kustomize
