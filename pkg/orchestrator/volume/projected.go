package volume

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// projected joins several sources in one directory. The default mount of a service account is one.
func (v *Volumes) projected(ctx context.Context, pod *corev1.Pod, p *corev1.ProjectedVolumeSource, dir string) result {
	files := payload{}
	var refresh time.Time
	var errs []error
	for i := range p.Sources {
		until, err := v.addSource(ctx, pod, &p.Sources[i], mode(p.DefaultMode), files)
		if err != nil {
			errs = append(errs, err)
		}
		if !until.IsZero() && (refresh.IsZero() || until.Before(refresh)) {
			refresh = until
		}
	}
	if len(errs) > 0 {
		return result{err: errors.Join(errs...)}
	}
	if err := v.tmpfs(dir, "mode=0777"); err != nil {
		return result{err: err}
	}
	return result{refresh: refresh, err: v.write(dir, files, fsGroup(pod))}
}

func (v *Volumes) addSource(ctx context.Context, pod *corev1.Pod, s *corev1.VolumeProjection, def int32, into payload) (refresh time.Time, err error) {
	switch {
	case s.ConfigMap != nil:
		return refresh, v.addConfigMap(ctx, pod.Namespace, s.ConfigMap.Name, s.ConfigMap.Items, def, s.ConfigMap.Optional, into)
	case s.Secret != nil:
		return refresh, v.addSecret(ctx, pod.Namespace, s.Secret.Name, s.Secret.Items, def, s.Secret.Optional, into)
	case s.DownwardAPI != nil:
		return refresh, v.addDownward(pod, s.DownwardAPI.Items, def, into)
	case s.ServiceAccountToken != nil:
		return v.addToken(ctx, pod, s.ServiceAccountToken, def, into)
	case s.ClusterTrustBundle != nil:
		return refresh, errors.New("clusterTrustBundle projections are not supported by this node agent")
	}
	return refresh, errors.New("this projection is not supported by this node agent")
}

type tokenKey struct {
	pod      types.UID
	audience string
	seconds  int64
}

type token struct {
	value   string
	refresh time.Time
}

// addToken adds a service account's token, a new one when four fifths of its life, or a day, have passed.
func (v *Volumes) addToken(ctx context.Context, pod *corev1.Pod, p *corev1.ServiceAccountTokenProjection, def int32, into payload) (time.Time, error) {
	path, err := cleanRelative(p.Path)
	if err != nil {
		return time.Time{}, err
	}
	key := tokenKey{pod: pod.UID, audience: p.Audience}
	if p.ExpirationSeconds != nil {
		key.seconds = *p.ExpirationSeconds
	}
	v.mu.Lock()
	t, ok := v.tokens[key]
	v.mu.Unlock()
	if !ok || !time.Now().Before(t.refresh) {
		value, expires, err := v.config.Sources.Token(ctx, pod, p)
		if err != nil {
			return time.Time{}, fmt.Errorf("failed to fetch token: %w", err)
		}
		now := time.Now()
		t = token{value: value, refresh: now.Add(min(expires.Sub(now)*4/5, 24*time.Hour))}
		v.mu.Lock()
		v.tokens[key] = t
		v.mu.Unlock()
	}
	f := file{data: []byte(t.value), mode: def}
	if uid := commonUser(pod); uid != nil {
		f.mode, f.uid, f.owned = 0o600, int(*uid), true
	} else if fsGroup(pod) >= 0 {
		f.mode = 0o600
	}
	into[path] = f
	return t.refresh, nil
}

// commonUser is the user that all containers run as by number, or nil: it owns the token then.
func commonUser(pod *corev1.Pod) *int64 {
	var uid *int64
	var base *int64
	if sc := pod.Spec.SecurityContext; sc != nil {
		base = sc.RunAsUser
	}
	all := append(append([]corev1.Container{}, pod.Spec.InitContainers...), pod.Spec.Containers...)
	for i := range all {
		own := base
		if sc := all[i].SecurityContext; sc != nil && sc.RunAsUser != nil {
			own = sc.RunAsUser
		}
		if own == nil || (uid != nil && *uid != *own) {
			return nil
		}
		uid = own
	}
	return uid
}
