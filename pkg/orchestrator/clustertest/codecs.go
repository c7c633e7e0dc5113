package clustertest

import (
	"k8s.io/apimachinery/pkg/runtime/serializer"

	"github.com/kubeskiff/skiff/pkg/api/all"
)

var codecs = serializer.NewCodecFactory(all.Scheme()).WithoutConversion()
