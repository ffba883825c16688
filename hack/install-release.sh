#!/usr/bin/env bash
# Installs a release of hellochaos on a runner of GitHub Actions and puts it on the PATH of the steps that follow; action.yml runs this.
# It does not unpack an archive whose checksum differs from that in the release's checksums.txt.
# Environment: VERSION (a tag such as v0.1.0; empty is the latest release), and the variables of a runner: RUNNER_OS, RUNNER_ARCH,
# RUNNER_TEMP, GITHUB_PATH, and GH_TOKEN for gh.
set -euo pipefail

case ${RUNNER_OS:?} in
Linux) os=linux format=tar.gz ;;
macOS) os=darwin format=tar.gz ;;
Windows) os=windows format=zip ;;
*)
  echo "hellochaos has no release for the system $RUNNER_OS: use a runner with Linux, macOS or Windows" >&2
  exit 1
  ;;
esac
case ${RUNNER_ARCH:?} in
X64) architecture=amd64 ;;
ARM64) architecture=arm64 ;;
*)
  echo "hellochaos has no release for the processor $RUNNER_ARCH: use a runner with X64 or ARM64" >&2
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
  echo "$archive does not have the checksum that the release has for it, so it was not installed: run the job again" >&2
  exit 1
fi

if [[ $format == zip ]]; then
  unzip -oq "$archive"
else
  tar -xzf "$archive"
fi
echo "$folder" >>"${GITHUB_PATH:?}"
./hellochaos version
