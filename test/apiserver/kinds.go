package main

// sample is a kind with the smallest object of it that a server takes, and a merge patch that changes it.
type sample struct {
	kind, group, collection string // collection is the path of the list in the namespace "side"
	object, change          string
}

func (k sample) item(name string) string { return k.collection + "/" + name }

const template = `"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i:1"}]}}`

var samples = []sample{
	{"ConfigMap", "v1", "/api/v1/namespaces/side/configmaps", `"data":{"k":"v"}`, `{"data":{"k":"w"}}`},
	{"Secret", "v1", "/api/v1/namespaces/side/secrets", `"stringData":{"k":"v"}`, `{"data":{"l":"dw=="}}`},
	{"Service", "v1", "/api/v1/namespaces/side/services", `"spec":{"selector":{"a":"b"},"ports":[{"port":80}]}`, `{"spec":{"selector":{"a":"c"}}}`},
	{"ServiceAccount", "v1", "/api/v1/namespaces/side/serviceaccounts", `"automountServiceAccountToken":false`, `{"automountServiceAccountToken":true}`},
	{"Endpoints", "v1", "/api/v1/namespaces/side/endpoints", `"subsets":[{"addresses":[{"ip":"10.1.1.1"}],"ports":[{"port":80}]}]`, `{"subsets":[]}`},
	{"Event", "v1", "/api/v1/namespaces/side/events", `"involvedObject":{"namespace":"side","kind":"Pod","name":"p"},"reason":"R","message":"m","type":"Normal","count":1,"source":{"component":"c"}`, `{"count":2}`},
	{"Pod", "v1", "/api/v1/namespaces/side/pods", `"spec":{"containers":[{"name":"c","image":"i:1"}]}`, `{"spec":{"containers":[{"name":"c","image":"i:2"}]}}`},
	{"Namespace", "v1", "/api/v1/namespaces", `"spec":{}`, `{"metadata":{"annotations":{"x":"y"}}}`},
	{"Node", "v1", "/api/v1/nodes", `"spec":{"podCIDR":"10.9.0.0/24"}`, `{"spec":{"unschedulable":true}}`},
	{"Deployment", "apps/v1", "/apis/apps/v1/namespaces/side/deployments", `"spec":{` + template + `}`, `{"spec":{"replicas":3}}`},
	{"ReplicaSet", "apps/v1", "/apis/apps/v1/namespaces/side/replicasets", `"spec":{` + template + `}`, `{"spec":{"replicas":3}}`},
	{"ControllerRevision", "apps/v1", "/apis/apps/v1/namespaces/side/controllerrevisions", `"data":{"a":1},"revision":1`, `{"revision":2}`},
	{"Lease", "coordination.k8s.io/v1", "/apis/coordination.k8s.io/v1/namespaces/side/leases", `"spec":{"holderIdentity":"me","leaseDurationSeconds":30}`, `{"spec":{"holderIdentity":"you"}}`},
	{"EndpointSlice", "discovery.k8s.io/v1", "/apis/discovery.k8s.io/v1/namespaces/side/endpointslices", `"addressType":"IPv4","endpoints":[{"addresses":["10.1.1.1"]}],"ports":[{"port":80}]`, `{"endpoints":[]}`},
}

// body is an object of the kind; meta is put into its metadata, beginning with a comma.
func (k sample) body(name, meta string) string {
	return `{"apiVersion":"` + k.group + `","kind":"` + k.kind + `","metadata":{"name":"` + name + `"` + meta + `},` + k.object + `}`
}

func (k sample) namespaced() bool { return k.kind != "Namespace" && k.kind != "Node" }

// all is the path of the list over every namespace.
func (k sample) all() string {
	const in = "/namespaces/side"
	for i := 0; i+len(in) <= len(k.collection); i++ {
		if k.collection[i:i+len(in)] == in {
			return k.collection[:i] + k.collection[i+len(in):]
		}
	}
	return k.collection
}
