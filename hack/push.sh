#!/usr/bin/env bash
# Brings the image that image.sh made to where the cluster takes it from: kind's nodes, or the registry of its name.
# Environment: CLUSTER (gke or kind), CLUSTER_NAME, IMAGE, BINARY, ARCHIVE, DOCKER, GO.
set -euo pipefail

if [[ ${CLUSTER:?} == kind ]]; then
  kind load image-archive "${ARCHIVE:?}" --name "${CLUSTER_NAME:?}"
  exit
fi
registry=${IMAGE:?}
registry=${registry%%/*}
case $registry in
"$IMAGE")
  echo "IMAGE is '$IMAGE' and names no registry: give IMAGE=gcr.io/PROJECT/hello-service:latest, or CLUSTER=kind" >&2
  exit 2
  ;;
gcr.io | *.gcr.io | *-docker.pkg.dev)
  gcloud auth configure-docker "$registry" --quiet
  ;;
esac
if "${DOCKER:?}" version >/dev/null 2>&1; then
  "$DOCKER" push "$IMAGE"
else
  "${GO:?}" run ./cmd/hello-image --binary "${BINARY:?}" --image "$IMAGE" --push
fi
