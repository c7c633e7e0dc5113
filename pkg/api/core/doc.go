// Package core holds the kinds of the core group ("v1"): pods and what they run on, read and are found by. The rules
// of pod specs that workloads share are the podspec_*.go files. The package reads and writes objects it is given and
// never talks to a server.
package core
