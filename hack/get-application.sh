#!/usr/bin/env bash
# Lists the pods and services of the demo chain and prints the address at which requests enter: that of the frontend, or that of the
# ingress gateway once stage ingress is applied.
# Environment: KUBECTL, NAMESPACE.
set -euo pipefail
read -ra kubectl <<<"${KUBECTL:?}"

"${kubectl[@]}" -n "${NAMESPACE:?}" get pods,services
namespace=$NAMESPACE service=frontend
gateway=$("${kubectl[@]}" -n "$NAMESPACE" get gateways.networking.istio.io frontend --ignore-not-found -o name)
if [[ -n $gateway ]]; then
  namespace=istio-system service=istio-ingressgateway
fi
address=$("${kubectl[@]}" -n "$namespace" get service "$service" \
  -o jsonpath='{.status.loadBalancer.ingress[0].ip}{.status.loadBalancer.ingress[0].hostname}')
echo
if [[ -n $address ]]; then
  echo "address: http://$address/"
else
  echo "Service $service has no address outside the cluster. Type"
  echo "  ${KUBECTL} -n $namespace port-forward service/$service 8080:80"
  echo "and leave it running. The address is then http://127.0.0.1:8080/"
fi
