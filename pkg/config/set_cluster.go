package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

type clusterFlags struct {
	server, tlsServerName, ca, proxy string
	insecure, embed                  bool
	given                            func(flag string) bool
}

func newSetCluster(c *files) *cobra.Command {
	var s clusterFlags
	cmd := &cobra.Command{
		Use:   "set-cluster NAME [--server=server] [--certificate-authority=path/to/certificate/authority] [--insecure-skip-tls-verify=true] [--tls-server-name=example.com]",
		Short: "Set a cluster entry in kubeconfig",
		Long:  "Add a cluster, or change what the flags name of one that is there.",
		Example: `
  skiff config set-cluster prod --server=https://1.2.3.4
  skiff config set-cluster prod --embed-certs --certificate-authority=./ca.crt
  skiff config set-cluster prod --insecure-skip-tls-verify=true`,
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return helpError(cmd, "Unexpected args: %v", args)
			}
			s.given = cmd.Flags().Changed
			if err := s.check(args[0]); err != nil {
				return err
			}
			config, err := c.load()
			if err != nil {
				return err
			}
			if config.Clusters[args[0]] == nil {
				config.Clusters[args[0]] = clientcmdapi.NewCluster()
			}
			if err := s.apply(config.Clusters[args[0]]); err != nil {
				return err
			}
			if err := c.save(config, true); err != nil {
				return err
			}
			fmt.Fprintf(c.io.Out, "Cluster %q set.\n", args[0])
			return nil
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&s.server, "server", "", "Address of the API server.")
	fs.StringVar(&s.tlsServerName, "tls-server-name", "", "Name to look for in the server's certificate.")
	fs.BoolVar(&s.insecure, "insecure-skip-tls-verify", false, "Do not check the server's certificate.")
	fs.StringVar(&s.ca, "certificate-authority", "", "File with the certificate authority's certificate.")
	fs.BoolVar(&s.embed, "embed-certs", false, "Copy the certificate into the kubeconfig.")
	fs.StringVar(&s.proxy, "proxy-url", "", "URL of a proxy for requests to this cluster.")
	return cmd
}

func (s *clusterFlags) check(name string) error {
	switch {
	case name == "":
		return errors.New("you must specify a non-empty cluster name")
	case s.insecure && s.ca != "":
		return errors.New("you cannot specify a certificate authority and insecure mode at the same time")
	case s.embed && s.ca == "":
		return errors.New("you must specify a --certificate-authority to embed")
	}
	return nil
}

func (s *clusterFlags) apply(c *clientcmdapi.Cluster) error {
	if s.given("server") {
		c.Server, c.TLSServerName = s.server, ""
	}
	if s.given("tls-server-name") {
		c.TLSServerName = s.tlsServerName
	}
	if s.given("insecure-skip-tls-verify") {
		c.InsecureSkipTLSVerify = s.insecure
		if s.insecure {
			c.CertificateAuthority, c.CertificateAuthorityData = "", nil
		}
	}
	if s.given("proxy-url") {
		c.ProxyURL = s.proxy
	}
	if !s.given("certificate-authority") {
		return nil
	}
	data, path, err := certificate("certificate-authority", s.ca, s.embed)
	if err != nil {
		return err
	}
	c.CertificateAuthority, c.CertificateAuthorityData = path, data
	if path != "" || data != nil {
		c.InsecureSkipTLSVerify = false
	}
	return nil
}

// certificate gives a file's content to embed, or else its absolute path.
func certificate(flag, path string, embed bool) (data []byte, abs string, err error) {
	if path == "" {
		return nil, "", nil
	}
	if embed {
		if _, err := os.Stat(path); err != nil {
			return nil, "", fmt.Errorf("could not stat %s file %s: %v", flag, path, err)
		}
		data, err = os.ReadFile(path)
		return data, "", err
	}
	abs, err = filepath.Abs(path)
	return nil, abs, err
}
