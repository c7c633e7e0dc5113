package main

// The content types that requests name.
const (
	jsonPatch     = "application/json-patch+json"
	mergePatch    = "application/merge-patch+json"
	strategic     = "application/strategic-merge-patch+json"
	applyPatch    = "application/apply-patch+yaml"
	tableType     = "application/json;as=Table;v=v1;g=meta.k8s.io"
	partialType   = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
	partialList   = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
	aggregateType = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
)

func setUp(s *suite) error {
	s.do("setup", "POST", "/api/v1/namespaces", `{"metadata":{"name":"side"}}`)
	for _, ns := range []string{"side", "default"} {
		s.do("setup", "POST", "/api/v1/namespaces/"+ns+"/pods", `{"metadata":{"name":"early"},"spec":{"containers":[{"name":"c","image":"i"}]}}`)
		s.do("setup", "POST", "/api/v1/namespaces/"+ns+"/serviceaccounts", `{"metadata":{"name":"default"}}`)
	}
	s.do("setup", "GET", "/api/v1/namespaces/side", "")
	return nil
}

// lives takes an object of every kind from its creation to its end.
func lives(s *suite) error {
	for _, k := range samples {
		life(s, k)
		refusals(s, k)
	}
	return nil
}

func life(s *suite, k sample) {
	n, item := "life "+k.kind, k.item("one")
	s.do(n, "POST", k.collection+"?dryRun=All", k.body("one", ""))
	s.do(n, "GET", item, "")
	s.do(n, "POST", k.collection, k.body("one", `,"labels":{"l":"1"},"annotations":{"a":"1"},"uid":"x","resourceVersion":"","selfLink":"s","generation":7,"deletionGracePeriodSeconds":3,"managedFields":[]`))
	s.do(n, "POST", k.collection, k.body("one", ""))
	s.do(n, "POST", k.collection+"?fieldManager=me", k.body("gen-", `,"generateName":"x"`))
	s.do(n, "POST", k.collection, `{"apiVersion":"`+k.group+`","kind":"`+k.kind+`","metadata":{"generateName":"gen-"},`+k.object+`}`)
	s.keep("gen", "metadata", "name")
	s.do(n, "GET", item, "")
	s.keep("rv", "metadata", "resourceVersion")
	s.keep("uid", "metadata", "uid")
	s.do(n, "GET", item+"?pretty=true", "")
	s.do(n, "GET", item, "", "Accept", "application/yaml")
	for _, accept := range []string{tableType, partialType} {
		s.do(n, "GET", item, "", "Accept", accept)
	}
	for _, as := range []string{"None", "Metadata", "Object", "Wrong"} {
		s.do(n, "GET", item+"?includeObject="+as, "", "Accept", tableType)
	}
	s.do(n, "GET", k.collection, "")
	s.do(n, "GET", k.collection, "", "Accept", tableType)
	s.do(n, "GET", k.collection, "", "Accept", partialList)
	s.do(n, "GET", k.collection, "", "Accept", partialType)
	s.do(n, "GET", k.all()+"?labelSelector=l%3D1", "", "Accept", tableType)
	s.do(n, "PATCH", item+"?dryRun=All", k.change, "Content-Type", mergePatch)
	s.do(n, "PATCH", item, k.change, "Content-Type", mergePatch)
	s.do(n, "PATCH", item, k.change, "Content-Type", mergePatch)
	s.do(n, "PATCH", item+"?fieldManager=second", `{"metadata":{"labels":{"m":"2"}}}`, "Content-Type", strategic)
	s.do(n, "PATCH", item, `[{"op":"add","path":"/metadata/labels/n","value":"3"}]`, "Content-Type", jsonPatch)
	s.do(n, "PATCH", item, `[{"op":"test","path":"/metadata/labels/n","value":"4"}]`, "Content-Type", jsonPatch)
	s.do(n, "PATCH", item, `[{"op":"remove","path":"/metadata/labels/none"}]`, "Content-Type", jsonPatch)
	s.do(n, "PATCH", item, `{"metadata":{"resourceVersion":"{rv}"}}`, "Content-Type", mergePatch)
	s.do(n, "PATCH", item, `{"metadata":{"uid":"other"}}`, "Content-Type", mergePatch)
	s.do(n, "PATCH", item, `{"metadata":{"name":"other"}}`, "Content-Type", mergePatch)
	s.do(n, "PATCH", item, `{"metadata":{"generation":9}}`, "Content-Type", mergePatch)
	s.do(n, "PATCH", item, `{"metadata":{"creationTimestamp":"2001-01-01T00:00:00Z"}}`, "Content-Type", mergePatch)
	s.do(n, "PATCH", item, `{"metadata":{"labels":{"bad key":"x"}}}`, "Content-Type", mergePatch)
	s.do(n, "PATCH", item+"?fieldValidation=Strict", `{"metadata":{"nope":1}}`, "Content-Type", mergePatch)
	s.do(n, "PATCH", item, `{"metadata":{"nope":1}}`, "Content-Type", mergePatch)
	s.do(n, "PUT", item, k.body("one", `,"resourceVersion":"{rv}"`))
	s.do(n, "PUT", item, k.body("one", `,"resourceVersion":"1"`))
	s.do(n, "PUT", item, k.body("one", `,"uid":"other"`))
	s.do(n, "PUT", item, k.body("two", ""))
	s.do(n, "PUT", item, k.body("one", `,"labels":{"put":"1"}`))
	s.do(n, "GET", item, "")
	s.keep("rv", "metadata", "resourceVersion")
	s.do(n, "PUT", item+"?fieldManager=putter&dryRun=All", k.body("one", `,"resourceVersion":"{rv}","labels":{"put":"2"}`))
	s.do(n, "PUT", item+"?fieldManager=putter", k.body("one", `,"resourceVersion":"{rv}","uid":"{uid}","labels":{"put":"2"}`))
	s.do(n, "PUT", k.item("absent"), k.body("absent", ""))
	s.do(n, "PUT", k.item("absent"), k.body("absent", `,"resourceVersion":"5"`))
	s.do(n, "PATCH", k.item("missing"), k.change, "Content-Type", mergePatch)
	s.do(n, "DELETE", k.item("missing"), "")
	s.do(n, "DELETE", k.item("absent"), "")
	s.do(n, "DELETE", item+"?dryRun=All", "")
	s.do(n, "DELETE", item, `{"preconditions":{"uid":"other"}}`)
	s.do(n, "DELETE", item, `{"preconditions":{"resourceVersion":"1"}}`)
	s.do(n, "DELETE", item, `{"preconditions":{"uid":"{uid}"}}`)
	s.do(n, "GET", item, "")
	s.quiet("DELETE", k.item("gen-"), "")
	s.quiet("DELETE", k.item("{gen}"), "")
}

// refusals are requests that no kind takes.
func refusals(s *suite, k sample) {
	n, at := "refused "+k.kind, k.collection
	head := `{"apiVersion":"` + k.group + `","kind":"` + k.kind + `"`
	for _, body := range []string{
		"", "{", "null", "[]", `"x"`, "{}", head + "}", head + `,"metadata":5}`, head + `,"metadata":{"name":5}}`, head + `,"metadata":{"labels":{"a":1}}}`,
		`{"apiVersion":"nope/v1","kind":"` + k.kind + `","metadata":{"name":"x"}}`, `{"apiVersion":"` + k.group + `","kind":"Nope","metadata":{"name":"x"}}`,
		`{"apiVersion":"a/b/c","kind":"` + k.kind + `"}`, `{"kind":"` + k.kind + `","metadata":{"name":"x"}}`,
		k.body("x", `,"namespace":"elsewhere"`), k.body("Upper", ""), k.body("a_b", ""), k.body("-a", ""), k.body("a/b", ""), k.body("..", ""),
		k.body("x", `,"labels":{"bad key":"v","ok":"bad value!"}`), k.body("x", `,"annotations":{"bad key":"v"}`), k.body("x", `,"resourceVersion":"7"`),
		k.body("x", `,"finalizers":["bad"]`), k.body("x", `,"finalizers":["Bad Name/x"]`), k.body("x", `,"generation":-1`), k.body("x", `,"deletionTimestamp":"2001-01-01T00:00:00Z"`),
		k.body("x", `,"ownerReferences":[{}]`), k.body("x", `,"ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"p","uid":"u","controller":true},{"apiVersion":"v1","kind":"Pod","name":"q","uid":"v","controller":true}]`),
		k.body("x", `,"ownerReferences":[{"apiVersion":"v1","kind":"Event","name":"p","uid":"u"}]`), k.body("x", `,"creationTimestamp":"yesterday"`),
		k.body("x", `,"managedFields":[{"manager":"m","operation":"Wrong"}]`), k.body("x", `,"managedFields":[{"manager":"m","operation":"Update","apiVersion":"`+k.group+`","fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:labels":{"f:q":{}}}}}]`),
		k.body("x", `,"unknown":1,"unknown":2`), k.body("x", `,"name":"y"`), k.body("x", `,"generateName":"Bad!"`), head + `,"metadata":{"generateName":"Bad!"}}`,
	} {
		s.do(n, "POST", at+"?dryRun=All", body)
	}
	for _, v := range []string{"Strict", "Warn", "Ignore", "Wrong"} {
		s.do(n, "POST", at+"?dryRun=All&fieldValidation="+v, k.body("x", `,"unknown":1,"name":"y","labels":{"a":"b","a":"c"}`))
		s.do(n, "POST", at+"?dryRun=All&fieldValidation="+v, `{"zzz":{"a":1},"metadata":{"name":"x"},`+k.object+`,"more":true}`)
		s.do(n, "POST", at+"?dryRun=All&fieldValidation="+v, "apiVersion: "+k.group+"\nkind: "+k.kind+"\nmetadata:\n  name: x\n  name: y\n  other: z\n", "Content-Type", "application/yaml")
	}
	for _, q := range []string{"dryRun=Some", "dryRun=All&dryRun=All", "dryRun=", "fieldManager=%00", "fieldManager=" + long(129), "fieldValidation=strict", "pretty=maybe", "bogus=1", "dryRun=All&fieldManager=a%20b"} {
		s.do(n, "POST", at+"?"+q, k.body("bad!", ""))
	}
	s.do(n, "POST", at, "a: [", "Content-Type", "application/yaml")
	s.do(n, "POST", at, k.body("x", ""), "Content-Type", "text/plain")
	s.do(n, "POST", at, k.body("x", ""), "Content-Type", "nonsense")
	s.do(n, "POST", at+"?dryRun=All", k.body("bad!", ""), "Content-Type", "application/json; charset=utf-8")
	s.do(n, "POST", at, "k8s", "Content-Type", "application/vnd.kubernetes.protobuf")
	s.do(n, "POST", at, "k8s\x00junk", "Content-Type", "application/vnd.kubernetes.protobuf")
	s.do(n, "GET", at, "", "Accept", "text/csv")
	s.do(n, "GET", at, "", "Accept", "application/json;as=Nothing;v=v1;g=meta.k8s.io")
	for _, accept := range []string{"application/json;as=Table;v=v2;g=meta.k8s.io", "application/json;as=Table;v=v1beta1;g=meta.k8s.io", "*/*", "application/*", "text/html,application/yaml;q=0.5", "application/json;stream=watch"} {
		s.do(n, "GET", at+"?limit=1&labelSelector=none", "", "Accept", accept)
	}
	for _, m := range []string{"PUT", "PATCH", "FOO"} {
		s.do(n, m, at, "{}")
	}
	for _, m := range []string{"POST", "FOO"} {
		s.do(n, m, k.item("x"), "{}")
	}
	s.do(n, "PATCH", k.item("x"), "{}", "Content-Type", "application/json")
	s.do(n, "PATCH", k.item("x"), "{}", "Content-Type", mergePatch)
	s.do(n, "GET", k.item("x")+"/nosuch", "")
	s.do(n, "GET", k.item("x")+"/status", "")
	s.do(n, "GET", k.item("x")+"/scale", "")
	s.do(n, "GET", k.item("Bad!"), "")
	s.do(n, "DELETE", k.item("x"), `{"propagationPolicy":"Sideways"}`)
	s.do(n, "DELETE", k.item("x"), `{"propagationPolicy":"Orphan","orphanDependents":true}`)
	s.do(n, "DELETE", k.item("x"), `{`)
	s.do(n, "DELETE", k.item("x"), `{"kind":"Pod","apiVersion":"v1"}`)
	s.do(n, "DELETE", k.item("x"), `{"dryRun":["Some"]}`)
	s.do(n, "DELETE", k.item("x")+"?gracePeriodSeconds=x", "")
	s.do(n, "DELETE", k.item("x")+"?propagationPolicy=Sideways", "")
	for _, q := range []string{
		"labelSelector=%3D%3D", "labelSelector=a+in+()", "labelSelector=a+in+(b", "labelSelector=bad+key", "labelSelector=a%3Db,c!%3Dd,!e", "fieldSelector=nope%3D1", "fieldSelector=metadata.name%3Dzz",
		"fieldSelector=metadata.namespace%3Dzz", "fieldSelector=broken", "fieldSelector=metadata.name!%3Dzz,status.phase%3DX", "limit=-1", "limit=x", "resourceVersion=x", "resourceVersion=-1", "resourceVersion=0&resourceVersionMatch=Exact",
		"resourceVersionMatch=NotOlderThan", "resourceVersion=1&resourceVersionMatch=Wrong", "continue=abc", "continue=%20", "continue=eyJ2IjoieCJ9", "continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MCwic3RhcnQiOiJhIn0", "continue=abc&resourceVersion=1",
		"timeoutSeconds=x", "watch=maybe", "sendInitialEvents=true", "sendInitialEvents=true&watch=1", "watch=1&resourceVersionMatch=Exact&resourceVersion=1", "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=false&timeoutSeconds=1&labelSelector=none",
		"resourceVersion=999999999&timeoutSeconds=1&resourceVersionMatch=NotOlderThan", "watch=1&resourceVersion=x", "watch=1&continue=abc", "watch=1&limit=5&timeoutSeconds=1&labelSelector=none", "allowWatchBookmarks=maybe",
	} {
		s.do(n, "GET", at+"?"+q, "")
	}
}

func long(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = 'a'
	}
	return string(b)
}
