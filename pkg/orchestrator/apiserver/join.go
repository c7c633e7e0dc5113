package apiserver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/portforward"

	"github.com/gorilla/websocket"
)

// hopHeaders belong to one connection and are not passed on, unless the connection is upgraded.
var hopHeaders = []string{"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}

// secretHeaders are the client's credentials: they are for this server alone.
var secretHeaders = []string{"Authorization", "Cookie", "Proxy-Authorization"}

// upgrades says whether a message asks for, or grants, another protocol.
func upgrades(h http.Header) bool {
	for _, v := range h.Values("Connection") {
		if strings.Contains(strings.ToLower(v), "upgrade") {
			return true
		}
	}
	return false
}

// exchange sends the client's request to the target and reads the head of the answer.
func (s *Server) exchange(q *request, to target, header http.Header) (net.Conn, *bufio.Reader, *http.Response, error) {
	conn, err := to.dial(q.ctx)
	if err != nil {
		return nil, nil, nil, apierrors.NewInternalError(fmt.Errorf("error dialing backend: %w", err))
	}
	out := (&http.Request{
		Method: q.Method, URL: &url.URL{Scheme: "http", Host: "kubelet", Path: to.url.Path, RawPath: to.url.RawPath, RawQuery: to.url.RawQuery}, Host: hostOf(to),
		Header: header, Body: q.Body, ContentLength: q.ContentLength,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(q.ctx)
	if upgrades(header) || q.Body == http.NoBody {
		out.Body, out.ContentLength = nil, 0
	}
	stop := context.AfterFunc(q.ctx, func() { conn.Close() })
	if err := out.Write(conn); err != nil {
		stop()
		conn.Close()
		return nil, nil, nil, apierrors.NewInternalError(fmt.Errorf("send the request to the backend: %w", err))
	}
	reader := bufio.NewReader(conn)
	resp, err := http.ReadResponse(reader, out)
	if err != nil {
		stop()
		conn.Close()
		return nil, nil, nil, apierrors.NewInternalError(fmt.Errorf("read the answer of the backend: %w", err))
	}
	return conn, reader, resp, nil
}

func hostOf(to target) string {
	if to.url.Host != "" {
		return to.url.Host
	}
	return "localhost"
}

// forwarded are the client's headers as the target may see them.
func forwarded(q *request) http.Header {
	h := q.Header.Clone()
	up := upgrades(h)
	for _, name := range hopHeaders {
		if !up || (name != "Connection" && name != "Upgrade") {
			h.Del(name)
		}
	}
	for _, name := range secretHeaders {
		h.Del(name)
	}
	for name := range h {
		if strings.HasPrefix(name, "Impersonate-") {
			h.Del(name)
		}
	}
	if host, _, err := net.SplitHostPort(q.RemoteAddr); err == nil {
		h.Set("X-Forwarded-For", host)
	}
	return h
}

// join passes the request on; if the target changes the protocol, the two connections become one.
func (s *Server) join(q *request, to target) error {
	conn, reader, resp, err := s.exchange(q, to, forwarded(q))
	if err != nil {
		return err
	}
	defer conn.Close()
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return q.passOn(resp)
	}
	client, buffered, err := http.NewResponseController(q.w).Hijack()
	if err != nil {
		return apierrors.NewInternalError(fmt.Errorf("take over the connection: %w", err))
	}
	defer client.Close()
	if err := resp.Write(client); err != nil {
		return errAnswered
	}
	s.splice(client, io.MultiReader(io.LimitReader(buffered, int64(buffered.Reader.Buffered())), client), conn, reader)
	return errAnswered
}

// splice copies both ways until either side ends or the server stops.
func (s *Server) splice(client net.Conn, fromClient io.Reader, backend net.Conn, fromBackend io.Reader) {
	ended := make(chan struct{}, 2)
	go func() {
		io.Copy(backend, fromClient)
		ended <- struct{}{}
	}()
	go func() {
		io.Copy(client, fromBackend)
		ended <- struct{}{}
	}()
	left := 2
	select {
	case <-ended:
		left--
	case <-s.done:
	}
	backend.Close()
	client.Close()
	for range left {
		<-ended
	}
}

// passOn writes the target's answer to the client as it comes.
func (q *request) passOn(resp *http.Response) error {
	h := q.w.Header()
	for name, values := range resp.Header {
		h[name] = values
	}
	for _, name := range hopHeaders {
		h.Del(name)
	}
	q.w.WriteHeader(resp.StatusCode)
	q.stream(resp.Body)
	return errAnswered
}

// stream copies a body and flushes each piece, so that who follows a log sees it at once.
func (q *request) stream(body io.Reader) {
	control := http.NewResponseController(q.w)
	buffer := make([]byte, 32*1024)
	for {
		n, err := body.Read(buffer)
		if n > 0 {
			if _, werr := q.w.Write(buffer[:n]); werr != nil {
				return
			}
			_ = control.Flush()
		}
		if err != nil {
			return
		}
	}
}

// streamLog passes a log on; the agent's refusals become Status objects.
func (s *Server) streamLog(q *request, to target) error {
	conn, _, resp, err := s.exchange(q, to, http.Header{"User-Agent": q.Header["User-Agent"]})
	if err != nil {
		return err
	}
	defer conn.Close()
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > http.StatusPartialContent {
		return refusal(q, resp)
	}
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		select {
		case <-s.done:
			conn.Close()
		case <-stop:
		}
	}()
	q.w.Header().Set("Content-Type", "text/plain")
	q.w.Header().Set("Cache-Control", "no-cache, private")
	q.w.WriteHeader(http.StatusOK)
	_ = http.NewResponseController(q.w).Flush()
	q.stream(resp.Body)
	return errAnswered
}

const maxRefusal = 50000

// refusal is the agent's error, with its own words as the message.
func refusal(q *request, resp *http.Response) error {
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxRefusal))
	if err != nil {
		return apierrors.NewInternalError(err)
	}
	switch resp.StatusCode {
	case http.StatusInternalServerError:
		return apierrors.NewInternalError(errors.New(string(text)))
	case http.StatusBadRequest:
		return apierrors.NewBadRequest(string(text))
	}
	return apierrors.NewGenericServerResponse(resp.StatusCode, "", q.res.GroupResource(), q.path.name, string(text), 0, false)
}

// tunnelPrefix marks a WebSocket that carries the SPDY of a port-forward.
const tunnelPrefix = "SPDY/3.1+"

func isTunnel(r *http.Request) bool { return tunnelProtocol(r) != "" }

func tunnelProtocol(r *http.Request) string {
	for _, p := range websocket.Subprotocols(r) {
		if strings.HasPrefix(p, tunnelPrefix) {
			return p
		}
	}
	return ""
}

// tunnel takes SPDY out of the client's WebSocket and hands it to the agent, who speaks it bare.
func (s *Server) tunnel(q *request, to target) error {
	protocol := tunnelProtocol(q.Request)
	header := http.Header{
		"Connection": {"Upgrade"}, "Upgrade": {"SPDY/3.1"}, "X-Stream-Protocol-Version": {strings.TrimPrefix(protocol, tunnelPrefix)},
	}
	conn, reader, resp, err := s.exchange(q, to, header)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return q.passOn(resp)
	}
	// By default it refuses a page of another origin that rides on a browser's certificate.
	upgrader := websocket.Upgrader{Subprotocols: []string{protocol}}
	socket, err := upgrader.Upgrade(q.w, q.Request, nil)
	if err != nil {
		return errAnswered
	}
	client := portforward.NewTunnelingConnection("server", socket)
	defer client.Close()
	s.splice(client, client, conn, reader)
	return errAnswered
}
