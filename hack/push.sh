#!/usr/bin/env bash
# Loads the image that image.sh made onto the nodes of kind, or pushes it to the registry in its name, from which the cluster pulls it.
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
  echo "IMAGE is '$IMAGE', which names no registry: type 'make push IMAGE=gcr.io/PROJECT/hello-service:latest'," \
    "or 'make push CLUSTER=kind' for a cluster of kind" >&2
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
