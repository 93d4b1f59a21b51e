package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"io"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

const patience = 30 * time.Second // until a wait fails

// fake is the service test.Fake.
type fake struct {
	images  *images
	endings *endings
	stop    func(grace time.Duration)
}

func registerFake(server *grpc.Server, it *fake) {
	register(server, "test.Fake", map[string]unaryHandler{
		"Unary": unary, "GzipUnary": gzipUnary, "Inspect": inspect, "Seen": it.endings.answer, "Control": it.control,
	}, map[string]grpc.StreamHandler{
		"Bidi": bidi, "ClientStream": clientStream, "ServerStream": few(serverStream), "Fail": few(failAsAsked), "Hang": few(it.endings.hang),
	})
}

// echoed gives the metadata of the request that comes back, with its names begun in another way.
func echoed(ctx context.Context, prefix string) metadata.MD {
	came, _ := metadata.FromIncomingContext(ctx)
	echo := metadata.MD{}
	for key, values := range came {
		if strings.HasPrefix(key, "echo-") {
			echo[prefix+strings.TrimPrefix(key, "echo-")] = values
		}
	}
	return echo
}

func unary(ctx context.Context, request []byte) ([]byte, error) {
	if err := grpc.SendHeader(ctx, echoed(ctx, "echo-")); err != nil {
		return nil, err
	}
	return request, grpc.SetTrailer(ctx, echoed(ctx, "trail-"))
}

func gzipUnary(ctx context.Context, request []byte) ([]byte, error) {
	if err := grpc.SetSendCompressor(ctx, "gzip"); err != nil {
		return nil, err
	}
	return unary(ctx, request)
}

func bidi(_ interface{}, stream grpc.ServerStream) error {
	if err := stream.SendHeader(echoed(stream.Context(), "echo-")); err != nil {
		return err
	}
	for count := 0; ; count++ {
		var message []byte
		if err := stream.RecvMsg(&message); err == io.EOF {
			stream.SetTrailer(metadata.Pairs("trail-count", strconv.Itoa(count)))
			stream.SetTrailer(echoed(stream.Context(), "trail-"))
			return nil
		} else if err != nil {
			return err
		}
		if err := stream.SendMsg(message); err != nil {
			return err
		}
	}
}

func sendNumbered(stream grpc.ServerStream, count, size int) error {
	for number := 0; number < count; number++ {
		message := make([]byte, 4, 4+size)
		binary.BigEndian.PutUint32(message, uint32(number))
		if size > 4 {
			message = message[:size]
		}
		if err := stream.SendMsg(message); err != nil {
			return err
		}
	}
	return nil
}

func serverStream(stream grpc.ServerStream, request []byte) error {
	var asked struct{ Count, Size int }
	if err := json.Unmarshal(request, &asked); err != nil {
		return err
	}
	if err := stream.SendHeader(echoed(stream.Context(), "echo-")); err != nil {
		return err
	}
	stream.SetTrailer(echoed(stream.Context(), "trail-"))
	return sendNumbered(stream, asked.Count, asked.Size)
}

func clientStream(_ interface{}, stream grpc.ServerStream) error {
	hash, messages, size := sha256.New(), 0, 0
	for {
		var message []byte
		if err := stream.RecvMsg(&message); err == io.EOF {
			break
		} else if err != nil {
			return err
		}
		hash.Write(message)
		messages++
		size += len(message)
	}
	if err := stream.SendHeader(echoed(stream.Context(), "echo-")); err != nil {
		return err
	}
	stream.SetTrailer(echoed(stream.Context(), "trail-"))
	return stream.SendMsg(asJSON(map[string]interface{}{"messages": messages, "bytes": size, "sha256": hex.EncodeToString(hash.Sum(nil))}))
}

func failAsAsked(stream grpc.ServerStream, request []byte) error {
	var asked struct {
		Code    codes.Code
		Message string
		Details *string
		After   *int
	}
	if err := json.Unmarshal(request, &asked); err != nil {
		return err
	}
	if asked.After != nil {
		if err := stream.SendHeader(echoed(stream.Context(), "echo-")); err != nil {
			return err
		}
		if err := sendNumbered(stream, *asked.After, 100); err != nil {
			return err
		}
	}
	stream.SetTrailer(echoed(stream.Context(), "trail-"))
	if asked.Details != nil {
		details, err := base64.StdEncoding.DecodeString(*asked.Details)
		if err != nil {
			return err
		}
		stream.SetTrailer(metadata.Pairs("grpc-status-details-bin", string(details)))
	}
	return status.Error(asked.Code, asked.Message)
}

func inspect(ctx context.Context, _ []byte) ([]byte, error) {
	came, _ := metadata.FromIncomingContext(ctx)
	pairs := [][2]string{}
	for key, values := range came {
		for _, value := range values {
			if strings.HasSuffix(key, "-bin") {
				value = base64.StdEncoding.EncodeToString([]byte(value))
			}
			if key != ":authority" {
				pairs = append(pairs, [2]string{key, value})
			}
		}
	}
	sort.SliceStable(pairs, func(i, j int) bool { return pairs[i][0] < pairs[j][0] })
	_, limited := ctx.Deadline()
	return asJSON(map[string]interface{}{"metadata": pairs, "host": strings.Join(came.Get(":authority"), ", "), "deadline": limited}), nil
}

// endings is when calls of Hang ended.
type endings struct {
	lock sync.Mutex
	seen map[string]*ending
}

type ending struct {
	once     sync.Once
	ended    chan struct{}
	At       int64 `json:"at"`
	Deadline bool  `json:"deadline"`
}

func newEndings() *endings { return &endings{seen: map[string]*ending{}} }

func (e *endings) of(request []byte) (string, *ending, error) {
	var asked struct{ ID string }
	if err := json.Unmarshal(request, &asked); err != nil {
		return "", nil, err
	}
	e.lock.Lock()
	defer e.lock.Unlock()
	if e.seen[asked.ID] == nil {
		e.seen[asked.ID] = &ending{ended: make(chan struct{})}
	}
	return asked.ID, e.seen[asked.ID], nil
}

func (e *endings) hang(stream grpc.ServerStream, request []byte) error {
	id, ending, err := e.of(request)
	if err != nil {
		return err
	}
	if err := stream.SendHeader(metadata.Pairs("hanging", id)); err != nil {
		return err
	}
	<-stream.Context().Done()
	_, limited := stream.Context().Deadline()
	ending.once.Do(func() { ending.note(limited) })
	if stream.Context().Err() == context.DeadlineExceeded {
		return status.Error(codes.DeadlineExceeded, "Deadline Exceeded") // in the words of the others
	}
	return stream.Context().Err()
}

func (e *ending) note(deadline bool) {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		panic(err)
	}
	e.At, e.Deadline = now.Nano(), deadline
	close(e.ended)
}

func (e *endings) answer(_ context.Context, request []byte) ([]byte, error) {
	id, ending, err := e.of(request)
	if err != nil {
		return nil, err
	}
	select {
	case <-ending.ended:
		return asJSON(ending), nil
	case <-time.After(patience):
		return nil, status.Error(codes.NotFound, id+" still hangs")
	}
}

func (it *fake) control(_ context.Context, request []byte) ([]byte, error) {
	var asked struct {
		Op             string
		Set            []image
		Image, Message string
		Code           codes.Code
		Seconds, Grace float64
	}
	if err := json.Unmarshal(request, &asked); err != nil {
		return nil, err
	}
	switch asked.Op {
	case "images":
		it.images.set(asked.Set)
	case "fail_pull":
		it.images.failPull(asked.Image, asked.Code, asked.Message)
	case "delay_pull":
		it.images.delayPulls(seconds(asked.Seconds))
	case "calls":
		return asJSON(it.images.seen()), nil
	case "reset":
		it.images.reset()
	case "stop":
		go it.stop(seconds(asked.Grace))
	}
	return []byte("{}"), nil
}

func asJSON(value interface{}) []byte {
	encoded, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return encoded
}
