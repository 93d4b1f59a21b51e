package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/url"
	"sort"
	"strings"
	"time"
	_ "unsafe" // for linkname

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	_ "peers/wire" // its codec
)

const patience = time.Minute // until a call that should be answered fails

// What kubelet connects with (cri-client's remote_image.go and remote_runtime.go).
const (
	largest        = 16 << 20
	firstBackoff   = 100 * time.Millisecond
	longestBackoff = 3 * time.Second
	connectTimeout = 5 * time.Second
)

// grpc-go raises shorter intervals to this, which is ten seconds.
//
//go:linkname shortestKeepalive google.golang.org/grpc/internal.KeepaliveMinPingTime
var shortestKeepalive time.Duration

type seen map[string]interface{}

// A channel is a connection that is made again when it is lost.
type channel struct{ connection *grpc.ClientConn }

// connect dials as kubelet does; more options replace its own.
func connect(more ...grpc.DialOption) *channel {
	return dial("unix:"+socketPath, append([]grpc.DialOption{grpc.WithAuthority("localhost")}, more...)...)
}

func dial(target string, more ...grpc.DialOption) *channel {
	again := backoff.DefaultConfig
	again.BaseDelay, again.MaxDelay = firstBackoff, longestBackoff
	options := []grpc.DialOption{
		grpc.WithInsecure(),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: again, MinConnectTimeout: connectTimeout}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(largest), grpc.MaxCallSendMsgSize(largest)),
		grpc.WithMaxHeaderListSize(1 << 20),
	}
	connection, err := grpc.Dial(target, append(options, more...)...)
	must(err)
	return &channel{connection}
}

// byPath dials as kubelets of old do: the target is the path itself, and so is what grpc-go sends as authority.
func byPath() *channel {
	return dial(socketPath, grpc.WithContextDialer(func(ctx context.Context, path string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}))
}

func pinging(interval time.Duration) grpc.DialOption {
	shortestKeepalive = interval
	return grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: interval, Timeout: 5 * time.Second})
}

func (c *channel) close() { _ = c.connection.Close() }

// with is how a call differs from the ordinary one.
type with struct {
	pairs   []string // of metadata: name, value, name, value
	timeout time.Duration
	without bool // a deadline
	options []grpc.CallOption
}

var gzipped = with{options: []grpc.CallOption{grpc.UseCompressor(gzip.Name)}}

func (w with) context() (context.Context, context.CancelFunc) {
	ctx := metadata.NewOutgoingContext(context.Background(), metadata.Pairs(w.pairs...))
	if w.without {
		return context.WithCancel(ctx)
	}
	if w.timeout == 0 {
		w.timeout = patience
	}
	return context.WithTimeout(ctx, w.timeout)
}

func options(how []with) with {
	if len(how) == 0 {
		return with{}
	}
	return how[0]
}

// one makes a unary call and gives all that can be seen of it.
func (c *channel) one(path string, message []byte, how ...with) seen {
	call := options(how)
	ctx, cancel := call.context()
	defer cancel()
	var answer []byte
	var headers, trailers metadata.MD
	err := c.connection.Invoke(ctx, path, message, &answer, append(call.options, grpc.Header(&headers), grpc.Trailer(&trailers))...)
	ended := statusOf(err, headers, trailers)
	if err == nil {
		ended["answer"] = shownBytes(answer)
	}
	return ended
}

func (c *channel) answerOf(path string, message []byte, how ...with) []byte {
	call := options(how)
	ctx, cancel := call.context()
	defer cancel()
	var answer []byte
	must(c.connection.Invoke(ctx, path, message, &answer, call.options...))
	return answer
}

func (c *channel) jsonOf(path string, message []byte, how ...with) (value seen) {
	must(json.Unmarshal(c.answerOf(path, message, how...), &value))
	return value
}

// A stream is a call with many messages on either side.
type stream struct {
	grpc.ClientStream
	cancel context.CancelFunc
}

func (c *channel) open(path string, how ...with) *stream {
	call := options(how)
	ctx, cancel := call.context()
	opened, err := c.connection.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, path, call.options...)
	must(err)
	return &stream{opened, cancel}
}

// start opens a stream with one request.
func (c *channel) start(path string, message []byte, how ...with) *stream {
	started := c.open(path, how...)
	started.send(message)
	must(started.CloseSend())
	return started
}

func (c *channel) few(path string, message []byte, how ...with) seen {
	return c.start(path, message, how...).collect()
}

// send may come too late for a call that has ended, which receiving tells.
func (s *stream) send(message []byte) {
	if err := s.SendMsg(message); err != io.EOF {
		must(err)
	}
}

func (s *stream) next() []byte {
	var message []byte
	must(s.RecvMsg(&message))
	return message
}

// collect reads a stream to its end: how many messages, what they were, how it ended.
func (s *stream) collect() seen {
	defer s.cancel()
	hash, count := sha256.New(), 0
	for {
		var message []byte
		if err := s.RecvMsg(&message); err != nil {
			ended := s.status(err)
			ended["messages"], ended["sha256"] = count, hex.EncodeToString(hash.Sum(nil))
			return ended
		}
		must(binary.Write(hash, binary.BigEndian, uint32(len(message))))
		hash.Write(message)
		count++
	}
}

func (s *stream) status(err error) seen {
	if err == io.EOF {
		err = nil
	}
	headers, _ := s.Header()
	return statusOf(err, headers, s.Trailer())
}

func statusOf(err error, headers, trailers metadata.MD) seen {
	of := status.Convert(err)
	return seen{"code": of.Code().String(), "message": shown(textOf(of)), "headers": pairsOf(headers), "trailers": pairsOf(trailers)}
}

// textOf leaves out what is chance: the runtime ends a call at its deadline too, and how a connection broke has many names.
func textOf(of *status.Status) string {
	switch text := of.Message(); {
	case of.Code() == codes.DeadlineExceeded && strings.Contains(strings.ToLower(text), "deadline exceeded"):
		return "deadline exceeded"
	case strings.Contains(text, "too_many_pings"):
		return "... too_many_pings"
	default:
		return text
	}
}

func pairsOf(pairs metadata.MD) [][2]string {
	result := [][2]string{}
	for key, values := range pairs {
		for _, value := range values {
			switch {
			case key == "date":
				value = "TIME"
			case strings.HasSuffix(key, "-bin"):
				value = shownBytes([]byte(value))
			}
			result = append(result, [2]string{key, shown(value)})
		}
	}
	sort.SliceStable(result, func(i, j int) bool { return result[i][0] < result[j][0] })
	return result
}

// shown gives short texts as they are, long ones by their hash.
func shown(text string) string {
	if len(text) > 400 {
		return fmt.Sprintf("%d characters, sha256 %s", len(text), hashOf([]byte(text)))
	}
	return strings.NewReplacer(socketPath, "SOCKET", url.PathEscape(socketPath), "ESCAPED-SOCKET").Replace(text)
}

func shownBytes(value []byte) string {
	if len(value) > 64 {
		return fmt.Sprintf("%d bytes, sha256 %s", len(value), hashOf(value))
	}
	return "base64:" + base64.StdEncoding.EncodeToString(value)
}

func hashOf(value []byte) string {
	hash := sha256.Sum256(value)
	return hex.EncodeToString(hash[:])
}

// tally counts what is alike.
func tally(results []interface{}) map[string]int {
	counts := map[string]int{}
	for _, result := range results {
		line, err := json.Marshal(result)
		must(err)
		counts[string(line)]++
	}
	return counts
}

// asked encodes what a method of the fake asks for.
func asked(parameters seen) []byte {
	encoded, err := json.Marshal(parameters)
	must(err)
	return encoded
}
