// Package coordination holds the kinds of coordination.k8s.io: leases, by which nodes say that they live.
// The package reads and writes objects it is given and never talks to a server.
package coordination
