#!/usr/bin/env bash
# Creates the tutorial's cluster and makes it kubectl's current context.
# Environment: CLUSTER (gke or kind), CLUSTER_NAME; for gke PROJECT and ZONE.
set -euo pipefail

case ${CLUSTER:?} in
gke)
  if [[ -z ${PROJECT:-} ]]; then
    echo "PROJECT is empty: type 'make create-cluster PROJECT=...' with your project's id, or 'gcloud config set project ID'" >&2
    exit 2
  fi
  # These nodes have room for istiod, the addons and five sidecars.
  gcloud container clusters create "${CLUSTER_NAME:?}" --project "$PROJECT" --zone "${ZONE:?}" \
    --machine-type e2-standard-2 --num-nodes 3
  ;;
kind)
  kind create cluster --name "${CLUSTER_NAME:?}" --wait 120s
  ;;
*)
  echo "CLUSTER is '$CLUSTER': it must be gke or kind" >&2
  exit 2
  ;;
esac
