#!/usr/bin/env bash
# Installs a release of hellochaos on a runner of GitHub Actions and puts it on the PATH of the steps that follow: action.yml.
# An archive whose checksum is not that of the release's checksums.txt is not unpacked.
# Environment: VERSION (a tag such as v0.1.0; empty is the latest release), and what a runner has: RUNNER_OS, RUNNER_ARCH,
# RUNNER_TEMP, GITHUB_PATH, and gh with its GH_TOKEN.
set -euo pipefail

case ${RUNNER_OS:?} in
Linux) os=linux format=tar.gz ;;
macOS) os=darwin format=tar.gz ;;
Windows) os=windows format=zip ;;
*)
  echo "hellochaos has no release for the system $RUNNER_OS: want a runner with Linux, macOS or Windows" >&2
  exit 1
  ;;
esac
case ${RUNNER_ARCH:?} in
X64) architecture=amd64 ;;
ARM64) architecture=arm64 ;;
*)
  echo "hellochaos has no release for the processor $RUNNER_ARCH: want a runner with X64 or ARM64" >&2
  exit 1
  ;;
esac

folder=${RUNNER_TEMP:?}/hellochaos
mkdir -p "$folder"
cd "$folder"
gh release download ${VERSION:+"$VERSION"} --repo hellochaos/hellochaos --clobber \
  --pattern checksums.txt --pattern "hellochaos_*_${os}_$architecture.$format"
archive=$(echo hellochaos_*_"${os}_$architecture.$format")

# macOS has shasum, the others have sha256sum.
sum=(sha256sum)
command -v sha256sum >/dev/null || sum=(shasum -a 256)
if ! grep -F "  $archive" checksums.txt | "${sum[@]}" -c - >&2; then
  echo "$archive is not the file whose checksum the release has: it was not installed" >&2
  exit 1
fi

if [[ $format == zip ]]; then
  unzip -oq "$archive"
else
  tar -xzf "$archive"
fi
echo "$folder" >>"${GITHUB_PATH:?}"
./hellochaos version
