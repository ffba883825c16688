#!/usr/bin/env bash
# Writes the image of hello-service into an archive, with Docker when its daemon answers, and otherwise with cmd/hello-image.
# Environment: IMAGE (name and tag), BINARY (the program), ARCH (its processor), ARCHIVE (the file to write), DOCKER, GO.
set -euo pipefail

if "${DOCKER:?}" version >/dev/null 2>&1; then
  # An attestation would be a second image in the archive, and kind's nodes do not accept such an archive.
  export BUILDX_NO_DEFAULT_ATTESTATIONS=1
  "$DOCKER" build --platform "linux/${ARCH:?}" --build-arg "BINARY=${BINARY:?}" --tag "${IMAGE:?}" .
  "$DOCKER" save --output "${ARCHIVE:?}" "$IMAGE"
else
  "${GO:?}" run ./cmd/hello-image --binary "${BINARY:?}" --image "${IMAGE:?}" --output "${ARCHIVE:?}"
fi
