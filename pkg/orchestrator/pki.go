package orchestrator

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/kubeskiff/skiff/pkg/orchestrator/auth"
)

const (
	tokenIssuer = "https://kubernetes.default.svc.cluster.local"
	// kubeletClient is who the API server is to a node's agent.
	kubeletClient = "kube-apiserver-kubelet-client"
)

// pki is the cluster's own trust: everything below <dir>/pki.
type pki struct {
	dir    string
	ca     *auth.CA
	tokens *auth.TokenKey
}

func openPKI(dir string) (*pki, error) {
	p := &pki{dir: filepath.Join(dir, "pki")}
	var err error
	if p.ca, err = auth.LoadOrCreateCA(p.dir); err != nil {
		return nil, err
	}
	p.tokens, err = auth.LoadOrCreateTokenKey(p.dir, tokenIssuer)
	return p, err
}

// serving gives the API server's TLS configuration: whoever shows a certificate must have one of ours.
func (p *pki) serving(addresses ...netip.Addr) (*tls.Config, error) {
	names := []string{"localhost", "127.0.0.1", "::1", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"}
	for _, a := range addresses {
		if a.IsValid() {
			names = append(names, a.String())
		}
	}
	cert, err := p.ca.Server("kube-apiserver", names...)
	if err != nil {
		return nil, err
	}
	pair, err := cert.TLS()
	if err != nil {
		return nil, fmt.Errorf("load serving certificate: %w", err)
	}
	return &tls.Config{
		Certificates: []tls.Certificate{pair}, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: p.ca.Pool(),
		MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
	}, nil
}

// agentServing is the TLS configuration of a node agent's port, for the API server alone.
func (p *pki) agentServing(node string, ip netip.Addr) (*tls.Config, error) {
	cert, err := p.ca.Server("system:node:"+node, node, ip.String())
	if err != nil {
		return nil, err
	}
	pair, err := cert.TLS()
	if err != nil {
		return nil, fmt.Errorf("load serving certificate: %w", err)
	}
	return &tls.Config{
		Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: p.ca.Pool(), MinVersion: tls.VersionTLS12,
		NextProtos: []string{"http/1.1"},
		VerifyConnection: func(s tls.ConnectionState) error {
			if len(s.PeerCertificates) == 0 || s.PeerCertificates[0].Subject.CommonName != kubeletClient {
				return errors.New("only the API server may call a node's agent")
			}
			return nil
		},
	}, nil
}

// agentDialing is the other side of agentServing.
func (p *pki) agentDialing() (*tls.Config, error) {
	cert, err := p.ca.Client(kubeletClient, auth.GroupMasters)
	if err != nil {
		return nil, err
	}
	pair, err := cert.TLS()
	if err != nil {
		return nil, fmt.Errorf("load client certificate: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: p.ca.Pool(), MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}, nil
}

// contextName is what the kubeconfig calls the cluster: "skiff" for the default one, else "skiff-NAME".
func contextName(cluster string) string {
	if cluster == "skiff" {
		return cluster
	}
	return "skiff-" + cluster
}

// writeKubeconfig writes the owner's kubeconfig to <dir>/kubeconfig. The certificate in it is kept from start to start, as long
// as it still belongs to this cluster, so that copies of it go on working.
func (p *pki) writeKubeconfig(c *Config) error {
	path := filepath.Join(c.Dir, "kubeconfig")
	name, server := contextName(c.Name), "https://127.0.0.1:"+strconv.Itoa(c.APIPort)
	if old, err := clientcmd.LoadFromFile(path); err == nil {
		if cluster := old.Clusters[name]; cluster != nil && cluster.Server == server && string(cluster.CertificateAuthorityData) == string(p.ca.PEM()) {
			return nil
		}
	}
	cert, err := p.ca.Client("kubernetes-admin", auth.GroupMasters)
	if err != nil {
		return err
	}
	config := clientcmdapi.NewConfig()
	config.Clusters[name] = &clientcmdapi.Cluster{Server: server, CertificateAuthorityData: p.ca.PEM()}
	config.AuthInfos[name] = &clientcmdapi.AuthInfo{ClientCertificateData: cert.CertPEM, ClientKeyData: cert.KeyPEM}
	config.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	config.CurrentContext = name
	data, err := clientcmd.Write(*config)
	if err != nil {
		return fmt.Errorf("encode kubeconfig: %w", err)
	}
	return writeFile(path, data, 0o600)
}

// nodeClient issues the certificate by which a node's agent calls the API server.
func (p *pki) nodeClient(node string) (auth.Certificate, error) {
	return p.ca.Client("system:node:"+node, auth.GroupNodes)
}

func mkdirs(mode os.FileMode, dirs ...string) error {
	for _, dir := range dirs {
		if err := os.MkdirAll(dir, mode); err != nil {
			return fmt.Errorf("make directory: %w", err)
		}
	}
	return nil
}
