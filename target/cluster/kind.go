package cluster

import (
	"context"
	"net/http"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
)

// kind reads and writes objects of one kind, of type T, and their lists, of type L. Its namespace is empty for objects without a
// namespace. *T and *L must implement runtime.Object.
type kind[T, L any] struct {
	client              rest.Interface
	resource, namespace string
}

func (k kind[T, L]) request(verb string) *rest.Request {
	return k.client.Verb(verb).NamespaceIfScoped(k.namespace, k.namespace != "").Resource(k.resource)
}

// one sends a request and decodes the object in its answer.
func (k kind[T, L]) one(ctx context.Context, request *rest.Request) (*T, error) {
	answer := new(T)
	return answer, request.Do(ctx).Into(any(answer).(runtime.Object))
}

// Get reads an object.
func (k kind[T, L]) Get(ctx context.Context, name string, options metav1.GetOptions) (*T, error) {
	return k.one(ctx, k.request(http.MethodGet).Name(name).VersionedParams(&options, parameters))
}

// Create makes an object. The object has its name in its metadata.
func (k kind[T, L]) Create(ctx context.Context, object *T, options metav1.CreateOptions) (*T, error) {
	return k.one(ctx, k.request(http.MethodPost).VersionedParams(&options, parameters).Body(any(object).(runtime.Object)))
}

// Update replaces an object.
func (k kind[T, L]) Update(ctx context.Context, object *T, options metav1.UpdateOptions) (*T, error) {
	name := any(object).(metav1.Object).GetName()
	return k.one(ctx, k.request(http.MethodPut).Name(name).VersionedParams(&options, parameters).Body(any(object).(runtime.Object)))
}

// Patch changes an object.
func (k kind[T, L]) Patch(ctx context.Context, name string, of types.PatchType, patch []byte, options metav1.PatchOptions) (*T, error) {
	request := k.client.Patch(of).NamespaceIfScoped(k.namespace, k.namespace != "").Resource(k.resource)
	return k.one(ctx, request.Name(name).VersionedParams(&options, parameters).Body(patch))
}

// Delete deletes an object.
func (k kind[T, L]) Delete(ctx context.Context, name string, options metav1.DeleteOptions) error {
	return k.request(http.MethodDelete).Name(name).Body(&options).Do(ctx).Error()
}

// List reads the objects that the options select.
func (k kind[T, L]) List(ctx context.Context, options metav1.ListOptions) (*L, error) {
	answer := new(L)
	return answer, k.request(http.MethodGet).VersionedParams(&options, parameters).Timeout(limit(options)).Do(ctx).Into(any(answer).(runtime.Object))
}

// Watch reports every change of the objects that the options select.
func (k kind[T, L]) Watch(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	options.Watch = true
	return k.request(http.MethodGet).VersionedParams(&options, parameters).Timeout(limit(options)).Watch(ctx)
}

// ProxyGet sends a GET request through the API server to a port of a pod or of a Service.
func (k kind[T, L]) ProxyGet(scheme, name, port, path string, query map[string]string) rest.ResponseWrapper {
	request := k.request(http.MethodGet).SubResource("proxy").Name(utilnet.JoinSchemeNamePort(scheme, name, port)).Suffix(path)
	for key, value := range query {
		request = request.Param(key, value)
	}
	return request
}

// limit is the longest time of a request according to its options; zero means that there is no limit.
func limit(options metav1.ListOptions) time.Duration {
	if options.TimeoutSeconds == nil {
		return 0
	}
	return time.Duration(*options.TimeoutSeconds) * time.Second
}
