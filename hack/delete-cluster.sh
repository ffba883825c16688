#!/usr/bin/env bash
# Deletes the cluster that create-cluster.sh created, whatever kubectl's current context is.
# Environment: KUBECTL, NAMESPACE, CLUSTER (gke or kind), CLUSTER_NAME; for gke PROJECT and ZONE.
set -euo pipefail
read -ra kubectl <<<"${KUBECTL:?}"

case ${CLUSTER:?} in
gke)
  if [[ -z ${PROJECT:-} ]]; then
    echo "PROJECT is empty: type 'make delete-cluster PROJECT=...' with your project's id, or 'gcloud config set project ID'" >&2
    exit 2
  fi
  # A load balancer outlives its cluster unless its Service is deleted first.
  context=gke_${PROJECT}_${ZONE:?}_${CLUSTER_NAME:?}
  "${kubectl[@]}" --context "$context" -n "${NAMESPACE:?}" delete service frontend --ignore-not-found &&
    "${kubectl[@]}" --context "$context" -n istio-system delete service istio-ingressgateway --ignore-not-found ||
    echo "The Services of context $context could not be deleted: check in your project whether their load balancers are left." >&2
  # gcloud asks for a confirmation before it deletes.
  gcloud container clusters delete "$CLUSTER_NAME" --project "$PROJECT" --zone "$ZONE"
  ;;
kind)
  kind delete cluster --name "${CLUSTER_NAME:?}"
  ;;
*)
  echo "CLUSTER is '$CLUSTER': it must be gke or kind" >&2
  exit 2
  ;;
esac
