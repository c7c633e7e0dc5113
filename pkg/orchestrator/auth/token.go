package auth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// signatureSize is that of ES256: two numbers of 32 bytes.
const signatureSize = 64

// Claims are what a service account's token says, in the real one's words.
type Claims struct {
	Audience   []string    `json:"aud"`
	Expiry     int64       `json:"exp"`
	IssuedAt   int64       `json:"iat"`
	Issuer     string      `json:"iss"`
	ID         string      `json:"jti"`
	Kubernetes BoundClaims `json:"kubernetes.io"`
	NotBefore  int64       `json:"nbf"`
	Subject    string      `json:"sub"`
}

// BoundClaims name the service account and the objects without which the token is worth nothing.
type BoundClaims struct {
	Namespace      string `json:"namespace"`
	Node           *Ref   `json:"node,omitempty"`
	Pod            *Ref   `json:"pod,omitempty"`
	Secret         *Ref   `json:"secret,omitempty"`
	ServiceAccount Ref    `json:"serviceaccount"`
}

// Ref is one object by name and identity.
type Ref struct {
	Name string `json:"name"`
	UID  string `json:"uid"`
}

// TokenKey signs service account tokens and verifies its own signatures.
type TokenKey struct {
	key    *ecdsa.PrivateKey
	id     string
	header string // encoded, with its dot
	issuer string
}

// LoadOrCreateTokenKey reads sa.key of dir, or makes it. The issuer is what tokens say of where they come from, such as
// https://kubernetes.default.svc.cluster.local.
func LoadOrCreateTokenKey(dir, issuer string) (*TokenKey, error) {
	path := filepath.Join(dir, "sa.key")
	data, err := os.ReadFile(path)
	if err == nil {
		block, _ := pem.Decode(data)
		if block == nil {
			return nil, fmt.Errorf("load token key %s: no PEM block", path)
		}
		key, err := x509.ParseECPrivateKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("load token key %s: %w", path, err)
		}
		return newTokenKey(key, issuer)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("load token key: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make token key: %w", err)
	}
	if data, err = encodeKey(key); err != nil {
		return nil, fmt.Errorf("make token key: %w", err)
	}
	if err := errors.Join(os.MkdirAll(dir, 0o700), writeFile(path, data, 0o600)); err != nil {
		return nil, fmt.Errorf("save token key: %w", err)
	}
	return newTokenKey(key, issuer)
}

func newTokenKey(key *ecdsa.PrivateKey, issuer string) (*TokenKey, error) {
	if key.Curve != elliptic.P256() {
		return nil, errors.New("load token key: not a P-256 key")
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("load token key: %w", err)
	}
	sum := sha256.Sum256(der)
	k := &TokenKey{key: key, id: base64.RawURLEncoding.EncodeToString(sum[:]), issuer: issuer}
	header, err := json.Marshal(map[string]string{"alg": "ES256", "kid": k.id})
	if err != nil {
		return nil, fmt.Errorf("load token key: %w", err)
	}
	k.header = base64.RawURLEncoding.EncodeToString(header) + "."
	return k, nil
}

// Issuer is what the tokens say of where they come from; it is also the audience of those that ask for none.
func (k *TokenKey) Issuer() string { return k.issuer }

// Sign makes a token valid from now until expires. Issuer, subject, times and id are filled in.
func (k *TokenKey) Sign(bound BoundClaims, audiences []string, expires time.Time) (string, error) {
	if len(audiences) == 0 {
		audiences = []string{k.issuer}
	}
	now := time.Now()
	payload, err := json.Marshal(Claims{
		Audience: audiences, Expiry: expires.Unix(), IssuedAt: now.Unix(), NotBefore: now.Unix(),
		Issuer: k.issuer, ID: newID(), Kubernetes: bound,
		Subject: serviceAccountPrefix + bound.Namespace + ":" + bound.ServiceAccount.Name,
	})
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	text := k.header + base64.RawURLEncoding.EncodeToString(payload)
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, k.key, sum[:])
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	var signature [signatureSize]byte
	r.FillBytes(signature[:signatureSize/2])
	s.FillBytes(signature[signatureSize/2:])
	return text + "." + base64.RawURLEncoding.EncodeToString(signature[:]), nil
}

// errForeign says that a token is none of ours: another authenticator may know it.
var errForeign = errors.New("the token is not of this issuer")

// parse gives the claims of a token of ours whose signature holds. It judges neither times nor audience.
func (k *TokenKey) parse(token string) (*Claims, error) {
	header, rest, ok1 := strings.Cut(token, ".")
	payload, signature, ok2 := strings.Cut(rest, ".")
	if !ok1 || !ok2 {
		return nil, errForeign
	}
	data, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return nil, errForeign
	}
	var claims Claims
	if err := json.Unmarshal(data, &claims); err != nil || claims.Issuer != k.issuer {
		return nil, errForeign
	}
	// Our tokens have exactly this header: no other algorithm is ever considered.
	if header+"." != k.header {
		return nil, errors.New("the token is not signed by this cluster's key")
	}
	sig, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil || len(sig) != signatureSize {
		return nil, errors.New("the token's signature is malformed")
	}
	sum := sha256.Sum256([]byte(header + "." + payload))
	r, s := new(big.Int).SetBytes(sig[:signatureSize/2]), new(big.Int).SetBytes(sig[signatureSize/2:])
	if !ecdsa.Verify(&k.key.PublicKey, sum[:], r, s) {
		return nil, errors.New("the token's signature is wrong")
	}
	return &claims, nil
}

// newID makes a random UUID.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
