package cli

// Attachment is a container to attach to.
type Attachment struct {
	Namespace, Pod, Container string
	Stdin, TTY, Quiet         bool
	DetachKeys                string
}
