package dns

import (
	"container/list"
	"sync"
	"time"

	"github.com/miekg/dns"
)

const (
	maxAnswers  = 4096
	longest     = 5 * time.Minute  // for answers
	longestNone = 30 * time.Second // for "there is none"
)

// question is what an answer is an answer to.
type question struct {
	name        string
	kind, class uint16
	do, cd      bool
}

func keyOf(q *dns.Msg) question {
	o := q.IsEdns0()
	return question{dns.CanonicalName(q.Question[0].Name), q.Question[0].Qtype, q.Question[0].Qclass, o != nil && o.Do(), q.CheckingDisabled}
}

// answers remembers a bounded number of messages for as long as they say; the least asked for go first.
type answers struct {
	mu    sync.Mutex
	max   int
	by    map[question]*list.Element
	order *list.List // most recent first
}

type answer struct {
	key           question
	msg           *dns.Msg
	since, expiry time.Time
}

func newAnswers(limit int) *answers {
	return &answers{max: limit, by: map[question]*list.Element{}, order: list.New()}
}

// get gives a copy with what is left of each time to live, or nil.
func (a *answers) get(key question, now time.Time) *dns.Msg {
	a.mu.Lock()
	defer a.mu.Unlock()
	e, ok := a.by[key]
	if !ok {
		return nil
	}
	v := e.Value.(*answer)
	if !now.Before(v.expiry) {
		a.order.Remove(e)
		delete(a.by, key)
		return nil
	}
	a.order.MoveToFront(e)
	msg, age := v.msg.Copy(), uint32(now.Sub(v.since)/time.Second)
	for _, part := range [][]dns.RR{msg.Answer, msg.Ns, msg.Extra} {
		for _, rr := range part {
			if h := rr.Header(); h.Rrtype != dns.TypeOPT {
				h.Ttl -= min(age, h.Ttl)
			}
		}
	}
	return msg
}

func (a *answers) put(key question, msg *dns.Msg, now time.Time) {
	keep := lifetime(msg)
	if keep <= 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if e, ok := a.by[key]; ok {
		a.order.Remove(e)
	}
	a.by[key] = a.order.PushFront(&answer{key, msg.Copy(), now, now.Add(keep)})
	for a.order.Len() > a.max {
		last := a.order.Back()
		a.order.Remove(last)
		delete(a.by, last.Value.(*answer).key)
	}
}

// lifetime is how long a message may be remembered: its shortest time to live, or for "none" what its SOA says.
func lifetime(m *dns.Msg) time.Duration {
	if m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError || m.Truncated {
		return 0
	}
	if len(m.Answer) == 0 || m.Rcode == dns.RcodeNameError {
		for _, rr := range m.Ns {
			if soa, ok := rr.(*dns.SOA); ok {
				return min(time.Duration(min(soa.Minttl, soa.Hdr.Ttl))*time.Second, longestNone)
			}
		}
		return 0
	}
	shortest := longest
	for _, rr := range m.Answer {
		shortest = min(shortest, time.Duration(rr.Header().Ttl)*time.Second)
	}
	return shortest
}
