package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// leeway forgives clocks that differ a little, and is how long a token outlives its object's deletion.
const leeway = time.Minute

// ServiceAccountTokens authenticates by bearer tokens that its key signed, as long as what they are bound to exists.
type ServiceAccountTokens struct {
	key       *TokenKey
	reader    Reader
	audiences []string
}

// NewServiceAccountTokens accepts tokens for the given audiences; without any, for the issuer itself.
func NewServiceAccountTokens(key *TokenKey, reader Reader, audiences ...string) *ServiceAccountTokens {
	if len(audiences) == 0 {
		audiences = []string{key.issuer}
	}
	return &ServiceAccountTokens{key, reader, audiences}
}

// Authenticate reads the Authorization header.
func (t *ServiceAccountTokens) Authenticate(r *http.Request) (*User, error) {
	scheme, token, ok := strings.Cut(strings.TrimSpace(r.Header.Get("Authorization")), " ")
	token = strings.TrimSpace(token)
	if !ok || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return nil, nil
	}
	user, _, err := t.Review(r.Context(), token, t.audiences)
	if errors.Is(err, errForeign) {
		return nil, errors.New("invalid bearer token")
	}
	return user, err
}

// Review judges a token for one of the audiences (none: this cluster's own) and says which of them it is for.
func (t *ServiceAccountTokens) Review(ctx context.Context, token string, audiences []string) (*User, []string, error) {
	claims, err := t.key.parse(token)
	if err != nil {
		return nil, nil, err
	}
	if len(audiences) == 0 {
		audiences = t.audiences
	}
	var both []string
	for _, a := range audiences {
		if slices.Contains(claims.Audience, a) {
			both = append(both, a)
		}
	}
	if len(both) == 0 {
		return nil, nil, fmt.Errorf("token audiences %q is invalid for the target audiences %q", claims.Audience, audiences)
	}
	now := time.Now()
	switch {
	case now.Add(-leeway).Unix() > claims.Expiry:
		return nil, nil, errors.New("service account token has expired")
	case now.Add(leeway).Unix() < claims.NotBefore:
		return nil, nil, errors.New("service account token is not valid yet")
	case now.Add(leeway).Unix() < claims.IssuedAt:
		return nil, nil, errors.New("service account token is issued in the future")
	}
	if err := t.bound(ctx, &claims.Kubernetes, now); err != nil {
		return nil, nil, err
	}
	return userOf(claims), both, nil
}

// bound checks that the account and what the token is bound to still are the same objects.
func (t *ServiceAccountTokens) bound(ctx context.Context, b *BoundClaims, now time.Time) error {
	account, err := t.reader.Get(ctx, schema.GroupResource{Resource: "serviceaccounts"}, b.Namespace, b.ServiceAccount.Name)
	switch {
	case err != nil:
		return fmt.Errorf("look up service account %s/%s: %w", b.Namespace, b.ServiceAccount.Name, err)
	case string(account.GetUID()) != b.ServiceAccount.UID:
		return fmt.Errorf("service account UID (%s) does not match claim (%s)", account.GetUID(), b.ServiceAccount.UID)
	case account.GetDeletionTimestamp() != nil && account.GetDeletionTimestamp().Time.Before(now.Add(-leeway)):
		return fmt.Errorf("service account %s/%s has been deleted", b.Namespace, b.ServiceAccount.Name)
	}
	if err := t.alive(ctx, "secret", b.Namespace, b.Secret, now); err != nil {
		return err
	}
	if b.Pod != nil {
		// A pod's token also names its node, to be told apart by, not to depend on.
		return t.alive(ctx, "pod", b.Namespace, b.Pod, now)
	}
	return t.alive(ctx, "node", "", b.Node, now)
}

func (t *ServiceAccountTokens) alive(ctx context.Context, what, namespace string, ref *Ref, now time.Time) error {
	if ref == nil {
		return nil
	}
	obj, err := t.reader.Get(ctx, schema.GroupResource{Resource: what + "s"}, namespace, ref.Name)
	switch {
	case apierrors.IsNotFound(err):
		return errors.New("service account token has been invalidated")
	case err != nil:
		return fmt.Errorf("look up the token's %s %s: %w", what, ref.Name, err)
	case string(obj.GetUID()) != ref.UID:
		return fmt.Errorf("%s UID (%s) does not match service account %s ref claim (%s)", what, obj.GetUID(), what, ref.UID)
	case obj.GetDeletionTimestamp() != nil && obj.GetDeletionTimestamp().Time.Before(now.Add(-leeway)):
		return errors.New("service account token has been invalidated")
	}
	return nil
}

func userOf(c *Claims) *User {
	user := ServiceAccount(c.Kubernetes.Namespace, c.Kubernetes.ServiceAccount.Name, c.Kubernetes.ServiceAccount.UID)
	const prefix = "authentication.kubernetes.io/"
	user.Extra = map[string][]string{}
	set := func(name, value string) {
		if value != "" {
			user.Extra[prefix+name] = []string{value}
		}
	}
	if c.ID != "" {
		set("credential-id", "JTI="+c.ID)
	}
	if p := c.Kubernetes.Pod; p != nil {
		set("pod-name", p.Name)
		set("pod-uid", p.UID)
	}
	if n := c.Kubernetes.Node; n != nil {
		set("node-name", n.Name)
		set("node-uid", n.UID)
	}
	return &user
}
