#!/usr/bin/env bash
# Installs a release of Istio, with the istioctl of that release or else with Helm, and the Prometheus, Grafana, Kiali and Zipkin
# of that release. The trace of every request then goes to Zipkin.
# Environment: ISTIO_VERSION, KUBECTL, ISTIOCTL, HELM, CONTEXT (kubectl's context; empty is the current one).
set -euo pipefail
version=${ISTIO_VERSION:?}
read -ra kubectl <<<"${KUBECTL:?}"
addons=https://raw.githubusercontent.com/istio/istio/$version/samples/addons
charts=https://istio-release.storage.googleapis.com/charts
provider=(
  --set 'meshConfig.extensionProviders[0].name=zipkin'
  --set 'meshConfig.extensionProviders[0].zipkin.service=zipkin.istio-system.svc.cluster.local'
  --set 'meshConfig.extensionProviders[0].zipkin.port=9411'
)

# chart installs the release's chart $2 under the name $1, with the values that follow.
chart() {
  "$HELM" ${CONTEXT:+--kube-context "$CONTEXT"} upgrade --install "$1" "$2" --repo "$charts" --version "$version" \
    --namespace istio-system --create-namespace --wait --timeout 5m "${@:3}"
}

if [[ $("${ISTIOCTL:?}" version --remote=false 2>/dev/null | awk 'END {print $NF}') == "$version" ]]; then
  "$ISTIOCTL" ${CONTEXT:+--context "$CONTEXT"} install -y --set profile=default "${provider[@]}"
elif command -v "${HELM:?}" >/dev/null; then
  chart istio-base base
  chart istiod istiod "${provider[@]}"
  # The chart makes the label istio: ingressgateway from this name. The Gateway of stage ingress selects pods by that label.
  chart istio-ingressgateway gateway
else
  echo "Neither $ISTIOCTL of version $version nor $HELM is on the PATH. Install one of them. This installs istioctl:" \
    "'curl -L https://istio.io/downloadIstio | ISTIO_VERSION=$version sh -'" >&2
  exit 1
fi

for addon in prometheus grafana kiali extras/zipkin; do
  "${kubectl[@]}" apply -f "$addons/$addon.yaml"
done
"${kubectl[@]}" apply -f hack/tracing.yaml
"${kubectl[@]}" -n istio-system wait --for=condition=Available deployment --all --timeout=5m
