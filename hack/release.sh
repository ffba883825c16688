#!/usr/bin/env bash
# Makes a release in dist/ from .goreleaser.yaml: archives, checksums, SBOMs, a Homebrew cask, a krew manifest, and the image of the
# program hellochaos, which cmd/hello-image makes. `publish` publishes all of it for the tag of the current commit, and `snapshot`
# publishes nothing. The tools are built from the Go module proxy into bin/ the first time.
# Argument: snapshot or publish.
# Environment: GO, GORELEASER and SYFT (versions of their Go modules), RELEASE_IMAGE (the image's name without a tag); to publish,
# GITHUB_TOKEN, a login of docker at the image's registry, and TAP_TOKEN for Homebrew and krew.
set -euo pipefail
what=$1
case $what in
snapshot) options=(--snapshot) ;;
publish) options=() ;;
*)
  echo "release.sh: the argument is '$what': it must be snapshot or publish" >&2
  exit 2
  ;;
esac

# install builds the program $1 of the Go package $2 at version $3, unless it was built before.
install() {
  local folder=$PWD/bin/$1-$3
  if [[ ! -x $folder/$1 ]]; then
    GOBIN=$folder "${GO:?}" install -ldflags "-s -w -X main.version=${3#v}" "$2@$3"
  fi
  PATH=$folder:$PATH
}
install goreleaser github.com/goreleaser/goreleaser/v2 "${GORELEASER:?}"
install syft github.com/anchore/syft/cmd/syft "${SYFT:?}"

goreleaser release --clean ${options[@]+"${options[@]}"} # bash 3 takes an empty array for unset

version=$(sed -n 's/.*"version":"\([^"]*\)".*/\1/p' dist/metadata.json)
binaries=()
for binary in dist/hellochaos_linux_*/hellochaos; do
  binaries+=(--binary "$binary")
done
image=(--program hellochaos "${binaries[@]}" --image "${RELEASE_IMAGE:?}:$version" --output "dist/hellochaos_${version}_image.tar")
if [[ $what == publish ]]; then
  image+=(--push)
fi
"$GO" run ./cmd/hello-image "${image[@]}"

echo
echo "bytes        file"
find dist -type f ! -name artifacts.json ! -name config.yaml ! -name metadata.json | sort | while read -r file; do
  printf '%-11d  %s\n' "$(wc -c <"$file")" "$file"
done
