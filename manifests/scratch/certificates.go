package scratch

import (
	"fmt"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/hellochaos/hellochaos/manifests"
)

const (
	// Credential is the name of the Secret with the certificate of the set's own gateway pods.
	Credential = "hellochaos-gateway"
	// proxyCredential is the name of the Secret with the certificate that proxies show which open TLS, and with the issuer whom they trust.
	proxyCredential = "hellochaos-proxy"
	// certificateFolder is where pods have the files of a Secret, in their proxy or in their stand-in, and certificateVolume its name there.
	certificateFolder, certificateVolume = "/etc/hellochaos", "hellochaos-certificates"
	// listensTLS is the port at which stand-ins outside the mesh speak TLS.
	listensTLS = 3443
)

// Certificate is a Secret of type kubernetes.io/tls that pods of the set need, all of one issuer.
type Certificate struct {
	Namespace, Name string
	// Hosts are the names in it.
	Hosts []string
}

// same reports whether two are one Secret.
func (c Certificate) same(other Certificate) bool {
	return c.Namespace == other.Namespace && c.Name == other.Name
}

// speaker is a stand-in outside the mesh that speaks TLS.
type speaker struct {
	ports []int32  // those of its Service at which it does
	hosts []string // those in its certificate
}

// certificates decides who speaks TLS: the stand-ins outside where their hosts would, and proxies that open it.
func (m *mover) certificates(source *manifests.Rules) {
	for _, address := range source.SecureAddresses() {
		service := source.Answering(address)
		if service == nil {
			continue
		}
		name, _, _ := strings.Cut(service.Host, ".")
		s := m.speakers[name]
		if s == nil {
			s = &speaker{}
			m.speakers[name] = s
		}
		for _, port := range service.Ports {
			if strings.HasSuffix(address, fmt.Sprint(":", port.Port)) {
				s.ports = append(s.ports, int32(port.Port))
			}
		}
		s.hosts = append(s.hosts, source.Certificate(address)...)
	}
	if m.opens = len(source.Originations()) > 0; !m.opens {
		return
	}
	if o := source.Originations()[0]; m.options.Shared {
		m.problems = append(m.problems, fmt.Errorf("%s:%d: %s has proxies open TLS, and the gateway pods that others share have no certificates of the run: leave out --shared-gateway, so that requests enter by pods of the run's own", o.File, o.Line, o.Object))
	}
	for _, n := range m.set.Namespaces {
		if n.Injected {
			m.set.Certificates = append(m.set.Certificates, Certificate{Namespace: n.Name, Name: proxyCredential})
		}
	}
}

// speaks has a stand-in outside the mesh speak TLS, if it is to.
func (m *mover) speaks(k *appsv1.Deployment) {
	s := m.speakers[k.Name]
	if s == nil {
		return
	}
	slices.Sort(s.hosts)
	m.set.Certificates = append(m.set.Certificates, Certificate{Namespace: k.Namespace, Name: k.Name, Hosts: slices.Compact(s.hosts)})
	pod := &k.Spec.Template.Spec
	pod.Volumes = append(pod.Volumes, volumeOf(k.Name))
	container := &pod.Containers[0]
	container.VolumeMounts = append(container.VolumeMounts, mounted)
	container.Env = append(container.Env, corev1.EnvVar{Name: "TLS_PORT", Value: fmt.Sprint(listensTLS)}, corev1.EnvVar{Name: "TLS_FILES", Value: certificateFolder})
}

// spoken leads the ports of a Service outside the mesh at which TLS is spoken to that of its stand-in.
func (m *mover) spoken(k *corev1.Service) {
	s := m.speakers[k.Name]
	for i := range k.Spec.Ports {
		if port := &k.Spec.Ports[i]; s != nil && slices.Contains(s.ports, port.Port) {
			port.TargetPort = intstr.FromInt32(listensTLS)
		}
	}
}

// volumeOf is the volume of a pod with the files of a Secret.
func volumeOf(secret string) corev1.Volume {
	return corev1.Volume{Name: certificateVolume, VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: secret}}}
}

// mounted is where a container has that volume.
var mounted = corev1.VolumeMount{Name: certificateVolume, MountPath: certificateFolder, ReadOnly: true}

// sidecarFiles are Istio's annotations that give the files of a Secret to the sidecar of a pod.
func sidecarFiles(secret string) map[string]string {
	return map[string]string{
		"sidecar.istio.io/userVolume":      fmt.Sprintf(`{%q: {"secret": {"secretName": %q}}}`, certificateVolume, secret),
		"sidecar.istio.io/userVolumeMount": fmt.Sprintf(`{%q: {"mountPath": %q, "readOnly": true}}`, certificateVolume, certificateFolder),
	}
}

// opening has the TLS that a DestinationRule opens use the certificates of the set.
func (m *mover) opening(o *manifests.Object, rule *networking.DestinationRule) {
	opened := openedTLS(rule.GetTrafficPolicy())
	for _, subset := range rule.Subsets {
		opened = append(opened, openedTLS(subset.TrafficPolicy)...)
	}
	for _, tls := range opened {
		tls.CaCrl = ""
		if tls.CredentialName != "" {
			tls.CredentialName = proxyCredential
			continue
		}
		tls.CaCertificates = certificateFolder + "/ca.crt"
		if tls.Mode == networking.ClientTLSSettings_MUTUAL {
			tls.ClientCertificate, tls.PrivateKey = certificateFolder+"/tls.crt", certificateFolder+"/tls.key"
		}
	}
	if len(opened) > 0 {
		m.left("the certificates that %s (%s:%d) names, if it names any. Hosts outside have certificates that are made for the run, proxies trust their issuer, and show one of the run where they show one.", o.Name(), o.File, o.Line)
	}
}

// openedTLS are the settings of a policy with which proxies open TLS that is not the mesh's own.
func openedTLS(policy *networking.TrafficPolicy) []*networking.ClientTLSSettings {
	all := []*networking.ClientTLSSettings{policy.GetTls()}
	for _, port := range policy.GetPortLevelSettings() {
		all = append(all, port.GetTls())
	}
	return slices.DeleteFunc(all, func(tls *networking.ClientTLSSettings) bool {
		return tls.GetMode() != networking.ClientTLSSettings_MUTUAL && tls.GetMode() != networking.ClientTLSSettings_SIMPLE
	})
}
