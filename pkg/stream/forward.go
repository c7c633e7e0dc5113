package stream

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"os"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"
)

// Forward listens on local addresses and passes connections to ports of a pod, whose portforward subresource u is, until ctx or
// the pod's connection ends. Ports are "LOCAL:REMOTE", "PORT" or ":REMOTE". What happens is said on out, failures of single
// connections on errOut.
func Forward(ctx context.Context, config *rest.Config, u *url.URL, addresses, ports []string, out, errOut io.Writer) error {
	dialer, err := newDialer(config, u)
	if err != nil {
		return err
	}
	forwarder, err := portforward.NewOnAddressesForStreaming(dialer, addresses, ports, ctx.Done(), make(chan struct{}), out, errOut)
	if err != nil {
		return err
	}
	return forwarder.ForwardPorts()
}

func newDialer(config *rest.Config, u *url.URL) (httpstream.Dialer, error) {
	transport, upgrader, err := spdy.RoundTripperFor(config)
	if err != nil {
		return nil, err
	}
	dialer := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, u)
	if os.Getenv("KUBECTL_PORT_FORWARD_WEBSOCKETS") == "false" {
		return dialer, nil
	}
	tunnel, err := portforward.NewSPDYOverWebsocketDialerForStreaming(u, config)
	if err != nil {
		return nil, err
	}
	return portforward.NewFallbackDialerForStreaming(tunnel, dialer, noWebSocket), nil
}
