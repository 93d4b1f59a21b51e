package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"sort"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"peers/wire"
)

type image struct {
	ID      string   `json:"id"`
	Tags    []string `json:"tags"`
	Digests []string `json:"digests"`
	Size    uint64   `json:"size"`
}

// A call is what Control shows of one.
type call struct {
	Method   string      `json:"method"`
	Request  string      `json:"request"`
	Image    string      `json:"image"`
	Auth     *auth       `json:"auth"`
	Metadata [][2]string `json:"metadata"`
}

type auth struct {
	Username      string `json:"username"`
	Password      string `json:"password"`
	Auth          string `json:"auth"`
	ServerAddress string `json:"server_address"`
}

// images is the image service: names normalised as containerd does, every name can be pulled unless told otherwise.
type images struct {
	lock     sync.Mutex
	known    map[string]image
	failures map[string]error
	delay    time.Duration
	calls    []call
}

func newImages(delay time.Duration) *images {
	service := &images{}
	service.reset()
	service.delay = delay
	return service
}

func (s *images) reset() {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.known, s.failures, s.delay, s.calls = map[string]image{}, map[string]error{}, 0, []call{}
}

func (s *images) set(known []image) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.known = map[string]image{}
	for _, image := range known {
		s.known[image.ID] = image
	}
}

func (s *images) failPull(name string, code codes.Code, message string) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.failures[name] = status.Error(code, message)
}

func (s *images) delayPulls(delay time.Duration) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.delay = delay
}

func (s *images) seen() []call {
	s.lock.Lock()
	defer s.lock.Unlock()
	return append([]call{}, s.calls...)
}

// noted keeps what a method was called with.
func (s *images) noted(method string, handler func(ctx context.Context, request []byte) ([]byte, error)) unaryHandler {
	return func(ctx context.Context, request []byte) ([]byte, error) {
		noted := call{Method: method, Request: base64.StdEncoding.EncodeToString(request), Metadata: [][2]string{}}
		noted.Image = wire.FindText(request, 1, 1)
		if sent := wire.Find(request, 2); method == "PullImage" && sent != nil {
			noted.Auth = &auth{wire.FindText(sent, 1), wire.FindText(sent, 2), wire.FindText(sent, 3), wire.FindText(sent, 4)}
		}
		came, _ := metadata.FromIncomingContext(ctx)
		for key, values := range came {
			for _, value := range values {
				if !strings.HasSuffix(key, "-bin") && !strings.HasPrefix(key, ":") {
					noted.Metadata = append(noted.Metadata, [2]string{key, value})
				}
			}
		}
		s.lock.Lock()
		s.calls = append(s.calls, noted)
		s.lock.Unlock()
		return handler(ctx, request)
	}
}

func (s *images) add(name string) string {
	name = wire.Normalise(name)
	hash := sha256.Sum256([]byte(name))
	added := image{ID: "sha256:" + hex.EncodeToString(hash[:]), Size: 1234}
	if strings.Contains(name, "@") {
		added.Digests = []string{name}
	} else {
		added.Tags = []string{name}
		added.Digests = []string{name[:strings.LastIndex(name, ":")] + "@" + added.ID}
	}
	s.known[added.ID] = added
	return added.ID
}

func (s *images) lookUp(name string) (image, bool) {
	if name == "" {
		return image{}, false
	}
	normal := wire.Normalise(name)
	for _, known := range s.known {
		isID := known.ID == name || len(name) >= 7 && strings.HasPrefix(known.ID, "sha256:"+name)
		if isID || has(known.Tags, normal) || has(known.Digests, normal) {
			return known, true
		}
	}
	return image{}, false
}

func has(names []string, name string) bool {
	for _, known := range names {
		if known == name {
			return true
		}
	}
	return false
}

func (s *images) status(_ context.Context, request []byte) ([]byte, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if found, ok := s.lookUp(wire.FindText(request, 1, 1)); ok {
		return wire.Message(1, found.message()), nil
	}
	return []byte{}, nil
}

func (s *images) pull(ctx context.Context, request []byte) ([]byte, error) {
	name := wire.FindText(request, 1, 1)
	s.lock.Lock()
	delay := s.delay
	s.lock.Unlock()
	if err := wait(ctx, delay); err != nil {
		return nil, err
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	if failure := s.failures[name]; failure != nil {
		return nil, failure
	}
	return wire.Text(1, s.add(name)), nil
}

func (s *images) remove(_ context.Context, request []byte) ([]byte, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if found, ok := s.lookUp(wire.FindText(request, 1, 1)); ok {
		delete(s.known, found.ID)
	}
	return []byte{}, nil
}

func (s *images) list(_ context.Context, request []byte) ([]byte, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if wanted := wire.FindText(request, 1, 1, 1); wanted != "" {
		if found, ok := s.lookUp(wanted); ok {
			return wire.Message(1, found.message()), nil
		}
		return []byte{}, nil
	}
	ids := []string{}
	for id := range s.known {
		ids = append(ids, id)
	}
	sort.Strings(ids)
	listed := []byte{}
	for _, id := range ids {
		listed = append(listed, wire.Message(1, s.known[id].message())...)
	}
	return listed, nil
}

func fsInfo(context.Context, []byte) ([]byte, error) {
	return wire.Message(1, wire.Join(
		wire.Number(1, 1_700_000_000_000_000_000), wire.Message(2, wire.Text(1, "/var/lib/fake")),
		wire.Message(3, wire.Number(1, 4096)), wire.Message(4, wire.Number(1, 7)))), nil
}

func (i image) message() []byte {
	message := wire.Text(1, i.ID)
	for _, tag := range i.Tags {
		message = append(message, wire.Text(2, tag)...)
	}
	for _, digest := range i.Digests {
		message = append(message, wire.Text(3, digest)...)
	}
	return wire.Join(message, wire.Number(4, i.Size), wire.Text(1000, "unknown"))
}

// wait ends early when the caller gives up.
func wait(ctx context.Context, time_ time.Duration) error {
	select {
	case <-time.After(time_):
		return nil
	case <-ctx.Done():
		return status.FromContextError(ctx.Err()).Err()
	}
}
