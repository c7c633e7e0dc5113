// Package discovery holds the kinds of discovery.k8s.io: where the endpoints of services are.
// The package reads and writes objects it is given and never talks to a server.
package discovery
