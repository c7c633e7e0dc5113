// Package apps holds the kinds of the group apps: Deployments and what they own.
// The package reads and writes objects it is given and never talks to a server.
package apps
