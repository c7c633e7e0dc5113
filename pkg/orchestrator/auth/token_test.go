package auth

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const issuer = "https://kubernetes.default.svc.cluster.local"

func newTestKey(t *testing.T) *TokenKey {
	t.Helper()
	k, err := LoadOrCreateTokenKey(t.TempDir(), issuer)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func bearer(token string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/api", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}

func cluster() stored {
	return stored{
		"serviceaccounts/shop/web": &corev1.ServiceAccount{ObjectMeta: meta("shop", "web", "sa-1")},
		"pods/shop/web-0":          &corev1.Pod{ObjectMeta: meta("shop", "web-0", "pod-1")},
		"secrets/shop/s":           &corev1.Secret{ObjectMeta: meta("shop", "s", "secret-1")},
	}
}

func boundToPod() BoundClaims {
	return BoundClaims{
		Namespace: "shop", ServiceAccount: Ref{"web", "sa-1"}, Pod: &Ref{"web-0", "pod-1"}, Node: &Ref{"node-1", "node-uid"},
	}
}

func TestTokenOfPod(t *testing.T) {
	key := newTestKey(t)
	token, err := key.Sign(boundToPod(), nil, time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	user, err := NewServiceAccountTokens(key, cluster()).Authenticate(bearer(token))
	if err != nil {
		t.Fatal(err)
	}
	id := user.Extra["authentication.kubernetes.io/credential-id"]
	if len(id) != 1 || !strings.HasPrefix(id[0], "JTI=") || len(id[0]) != 40 {
		t.Errorf("the credential's id is %q", id)
	}
	want := &User{
		Name: "system:serviceaccount:shop:web", UID: "sa-1",
		Groups: []string{"system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"},
		Extra: map[string][]string{
			"authentication.kubernetes.io/credential-id": id,
			"authentication.kubernetes.io/pod-name":      {"web-0"}, "authentication.kubernetes.io/pod-uid": {"pod-1"},
			"authentication.kubernetes.io/node-name": {"node-1"}, "authentication.kubernetes.io/node-uid": {"node-uid"},
		},
	}
	if !reflect.DeepEqual(user, want) {
		t.Errorf("got %+v, want %+v", user, want)
	}
}

// TestTokenClaims: a token has the real one's shape.
func TestTokenClaims(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		token, err := newTestKey(t).Sign(boundToPod(), []string{"a", "b"}, time.Now().Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		if err := json.Unmarshal(payload, &got); err != nil {
			t.Fatal(err)
		}
		delete(got, "jti")
		now := float64(time.Now().Unix())
		want := map[string]any{
			"aud": []any{"a", "b"}, "exp": now + 3600, "iat": now, "nbf": now, "iss": issuer, "sub": "system:serviceaccount:shop:web",
			"kubernetes.io": map[string]any{
				"namespace": "shop", "serviceaccount": map[string]any{"name": "web", "uid": "sa-1"},
				"pod": map[string]any{"name": "web-0", "uid": "pod-1"}, "node": map[string]any{"name": "node-1", "uid": "node-uid"},
			},
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestRefusedTokens(t *testing.T) {
	key, other := newTestKey(t), newTestKey(t)
	long := time.Now().Add(-2 * time.Hour)
	for _, c := range []struct {
		name    string
		key     *TokenKey
		bound   func(*BoundClaims)
		change  func(stored)
		expires time.Duration
		aud     []string
		spoil   func(string) string
		want    string
	}{
		{name: "another key's", key: other, want: "not signed by this cluster's key"},
		{name: "expired", expires: -2 * time.Minute, want: "service account token has expired"},
		{name: "for somebody else", aud: []string{"vault"}, want: `token audiences ["vault"] is invalid for the target audiences ["` + issuer + `"]`},
		{name: "of a missing account", change: func(s stored) { delete(s, "serviceaccounts/shop/web") }, want: `serviceaccounts "web" not found`},
		{name: "of a new account by the same name", bound: func(b *BoundClaims) { b.ServiceAccount.UID = "old" }, want: "service account UID (sa-1) does not match claim (old)"},
		{name: "of a missing pod", change: func(s stored) { delete(s, "pods/shop/web-0") }, want: "service account token has been invalidated"},
		{name: "of a new pod by the same name", bound: func(b *BoundClaims) { b.Pod.UID = "old" }, want: "pod UID (pod-1) does not match service account pod ref claim (old)"},
		{name: "of a pod deleted long ago", change: func(s stored) {
			s["pods/shop/web-0"].SetDeletionTimestamp(&metav1.Time{Time: long})
		}, want: "service account token has been invalidated"},
		{name: "of a missing secret", bound: func(b *BoundClaims) { b.Pod, b.Secret = nil, &Ref{"gone", "x"} }, want: "service account token has been invalidated"},
		{name: "of a missing node", bound: func(b *BoundClaims) { b.Pod = nil }, want: "service account token has been invalidated"},
		{name: "with other claims", spoil: func(s string) string {
			parts := strings.Split(s, ".")
			claims, _ := base64.RawURLEncoding.DecodeString(parts[1])
			parts[1] = base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(claims), "web-0", "web-1", 1)))
			return strings.Join(parts, ".")
		}, want: "the token's signature is wrong"},
		{name: "without a signature", spoil: func(s string) string { return s[:strings.LastIndex(s, ".")+1] }, want: "the token's signature is malformed"},
		{name: "that claims to need none", spoil: func(s string) string {
			parts := strings.Split(s, ".")
			return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + parts[1] + "."
		}, want: "not signed by this cluster's key"},
		{name: "no token at all", spoil: func(string) string { return "secret" }, want: "invalid bearer token"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bound, objects := boundToPod(), cluster()
			if c.bound != nil {
				c.bound(&bound)
			}
			if c.change != nil {
				c.change(objects)
			}
			signer := key
			if c.key != nil {
				signer = c.key
			}
			if c.expires == 0 {
				c.expires = time.Hour
			}
			token, err := signer.Sign(bound, c.aud, time.Now().Add(c.expires))
			if err != nil {
				t.Fatal(err)
			}
			if c.spoil != nil {
				token = c.spoil(token)
			}
			user, err := NewServiceAccountTokens(key, objects).Authenticate(bearer(token))
			if user != nil || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %+v, error %v, want %q", user, err, c.want)
			}
		})
	}
}

func TestReviewForAnAudience(t *testing.T) {
	key := newTestKey(t)
	token, err := key.Sign(boundToPod(), []string{"vault", issuer}, time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	user, audiences, err := NewServiceAccountTokens(key, cluster()).Review(t.Context(), token, []string{"other", "vault"})
	if err != nil || user.Name != "system:serviceaccount:shop:web" || !reflect.DeepEqual(audiences, []string{"vault"}) {
		t.Errorf("got %+v, %q, %v", user, audiences, err)
	}
}

func TestTokenKeyIsKept(t *testing.T) {
	dir := t.TempDir()
	first, err := LoadOrCreateTokenKey(dir, issuer)
	if err != nil {
		t.Fatal(err)
	}
	second, err := LoadOrCreateTokenKey(dir, issuer)
	if err != nil || first.id != second.id {
		t.Errorf("a second start has key %q, %v, want %q", second.id, err, first.id)
	}
	path := filepath.Join(dir, "sa.key")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's mode is %v, %v", info.Mode(), err)
	}
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadOrCreateTokenKey(dir, issuer); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a spoilt key gave %v", err)
	}
}

func TestChain(t *testing.T) {
	chain := Chain(InProcess{}, NewServiceAccountTokens(newTestKey(t), cluster()))
	if _, err := chain.Authenticate(httptest.NewRequest(http.MethodGet, "/", nil)); err != ErrUnauthenticated {
		t.Errorf("an anonymous request got %v", err)
	}
	if _, err := chain.Authenticate(bearer("x")); err == nil || err.Error() != "invalid bearer token" {
		t.Errorf("a wrong token got %v", err)
	}
	node := Node("node-1")
	r := bearer("x")
	user, err := chain.Authenticate(r.WithContext(WithUser(r.Context(), &node)))
	if err != nil || user.Name != "system:node:node-1" {
		t.Errorf("a connection of the process got %+v, %v", user, err)
	}
}

// FuzzToken: whatever comes as a bearer token, only what the key signed gets in.
func FuzzToken(f *testing.F) {
	key, err := LoadOrCreateTokenKey(f.TempDir(), issuer)
	if err != nil {
		f.Fatal(err)
	}
	good, err := key.Sign(boundToPod(), nil, time.Now().Add(24*time.Hour))
	if err != nil {
		f.Fatal(err)
	}
	parts := strings.Split(good, ".")
	for _, seed := range []string{good, "", "..", "a.b.c", parts[0] + "." + parts[1] + ".", parts[0] + ".e30." + parts[2], good + "=", " " + good} {
		f.Add(seed)
	}
	tokens := NewServiceAccountTokens(key, cluster())
	f.Fuzz(func(t *testing.T, token string) {
		user, _, err := tokens.Review(t.Context(), token, nil)
		if (user == nil) == (err == nil) {
			t.Fatalf("got %+v and error %v", user, err)
		}
		if head, _, _ := strings.Cut(token, parts[2][:40]); user != nil && head != parts[0]+"."+parts[1]+"." {
			t.Errorf("%q got in as %s", token, user.Name)
		}
	})
}
