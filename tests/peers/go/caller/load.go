package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"peers/wire"
)

const (
	pass          = 50 * time.Millisecond
	probePass     = 2 * time.Second
	callTimeout   = 2 * time.Minute // kubelet's runtime-request-timeout
	streamBackoff = 100 * time.Millisecond
)

// settings is what the group kubelet-load is told.
type settings struct {
	Pulls     []string  `json:"pulls"`     // images that are pulled, found and removed in turn
	Pull      string    `json:"pull"`      // one more, under way from the beginning
	Exec      float64   `json:"exec"`      // seconds of an ExecSync that is under way from the beginning
	Execs     []float64 `json:"execs"`     // seconds of more of them
	Stop      uint64    `json:"stop"`      // seconds of a StopContainer
	Subscribe bool      `json:"subscribe"` // to containerd's own events too
	Container string    `json:"container"` // for ExecSync and StopContainer
	Probe     float64   `json:"probe"`     // seconds that an exec probe waits; kubelet's default is one
	Alone     bool      `json:"alone"`     // nothing is called but what is under way from the beginning
	Ping      float64   `json:"ping"`      // milliseconds between keepalive PINGs; kubelet sends none
}

// A kubelet calls what a real one calls, as often, over two channels as it does.
type kubelet struct {
	settings
	runtime, image *channel
	ending         context.Context
	ledger         ledger
	begun          sync.WaitGroup // one for each loop, until its first pass has ended
	long           sync.WaitGroup
}

// load prints "ready" when everything is under way, and the sums when standard input has ended and so has what was begun.
func load(options string) {
	node := &kubelet{ledger: newLedger(), settings: settings{Probe: 1}}
	must(json.Unmarshal([]byte(options), &node.settings))
	var more []grpc.DialOption
	if node.Ping > 0 {
		more = append(more, pinging(seconds(node.Ping/1000)))
	}
	node.runtime, node.image = connect(more...), connect(more...)
	ending, end := context.WithCancel(context.Background())
	node.ending = ending
	if !node.Alone {
		node.start()
		node.begun.Wait()
	}
	node.startLong()
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
	node.long.Wait()
	end()
	node.ledger.show()
}

func (k *kubelet) start() {
	k.loop(pass, func() {
		k.call(k.runtime, runtimeService+"ListPodSandbox", nil, callTimeout)
		k.call(k.runtime, runtimeService+"ListContainers", nil, callTimeout)
	})
	k.loop(pass, func() {
		k.call(k.runtime, runtimeService+"Version", nil, callTimeout)
		k.call(k.runtime, runtimeService+"Status", nil, callTimeout)
	})
	k.loop(pass, func() {
		k.call(k.image, imageService+"ListImages", nil, callTimeout)
		k.call(k.image, imageService+"ImageFsInfo", nil, callTimeout)
		k.call(k.image, imageService+"ImageStatus", spec("not/there:1"), callTimeout)
	})
	k.loop(probePass, func() { k.call(k.runtime, runtimeService+"ExecSync", k.exec("echo"), seconds(k.Probe)) })
	if len(k.Pulls) > 0 {
		k.loop(pass, k.pullInTurn)
	}
	k.watch(runtimeService + "GetContainerEvents")
	if k.Subscribe {
		k.watch(eventsService + "Subscribe")
	}
}

func (k *kubelet) pullInTurn() {
	for _, image := range k.Pulls {
		k.call(k.image, imageService+"PullImage", spec(image), 0) // kubelet's pulls have no deadline
		k.call(k.image, imageService+"ImageStatus", spec(image), callTimeout)
		k.call(k.image, imageService+"RemoveImage", spec(image), callTimeout)
	}
}

// startLong begins what lasts, and returns when whoever answers has it: requests of a connection arrive in order.
func (k *kubelet) startLong() {
	for _, long := range append(k.Execs, k.Exec) {
		if long > 0 {
			k.startCall(k.runtime, runtimeService+"ExecSync", k.exec("sleep", fmt.Sprint(long)))
		}
	}
	if k.Stop > 0 {
		k.startCall(k.runtime, runtimeService+"StopContainer", wire.Join(wire.Text(1, k.Container), wire.Number(2, k.Stop)))
	}
	if k.Pull != "" {
		k.startCall(k.image, imageService+"PullImage", spec(k.Pull))
	}
	k.runtime.answerOf(runtimeService+"Version", nil)
	k.image.answerOf(imageService+"ImageFsInfo", nil)
}

func (k *kubelet) startCall(channel *channel, path string, request []byte) {
	begun := time.Now()
	call := channel.start(path, request, with{without: true})
	k.long.Add(1)
	go func() {
		defer k.long.Done()
		var answer []byte
		err := call.RecvMsg(&answer)
		if err == nil {
			err = call.RecvMsg(&answer)
		}
		if err == io.EOF {
			err = nil
		}
		k.ledger.noteLong(path, begun, err)
	}()
}

func spec(image string) []byte { return wire.Message(1, wire.Text(1, image)) }

func (k *kubelet) exec(command ...string) []byte {
	request := wire.Text(1, k.Container)
	for _, word := range command {
		request = append(request, wire.Text(2, word)...)
	}
	return request
}

func (k *kubelet) loop(rest time.Duration, pass func()) {
	k.begun.Add(1)
	go func() {
		pass()
		k.begun.Done()
		for k.rest(rest) {
			pass()
		}
	}()
}

func (k *kubelet) rest(time_ time.Duration) bool {
	select {
	case <-time.After(time_):
		return true
	case <-k.ending.Done():
		return false
	}
}

func (k *kubelet) call(channel *channel, path string, request []byte, timeout time.Duration) {
	ctx, cancel := context.WithCancel(k.ending)
	if timeout > 0 {
		ctx, cancel = context.WithTimeout(k.ending, timeout)
	}
	defer cancel()
	begun := time.Now()
	var answer []byte
	err := channel.connection.Invoke(ctx, path, request, &answer)
	if k.ending.Err() == nil {
		k.ledger.note(path, begun, err)
	}
}

// watch reads a stream of events and opens it again when it has ended.
func (k *kubelet) watch(path string) {
	go func() {
		for first := true; first || k.rest(streamBackoff); first = false {
			if err := k.follow(path); k.ending.Err() == nil {
				k.ledger.noteStream(path, err)
			}
		}
	}()
}

func (k *kubelet) follow(path string) error {
	stream, err := k.runtime.connection.NewStream(k.ending, &grpc.StreamDesc{ServerStreams: true}, path)
	if err != nil {
		return err
	}
	if err := stream.SendMsg([]byte{}); err != nil && err != io.EOF {
		return err
	}
	_ = stream.CloseSend()
	for {
		var event []byte
		if err := stream.RecvMsg(&event); err != nil {
			return err
		}
	}
}

func seconds(count float64) time.Duration { return time.Duration(count * float64(time.Second)) }

func method(path string) string { return path[strings.LastIndex(path, "/")+1:] }

// A ledger has the sums of all calls.
type ledger struct {
	lock                        *sync.Mutex
	calls                       int
	failed, streams             map[string]int
	texts                       map[string]int
	long                        []seen
	started, lastWell           time.Time
	longestWait, longestWithout time.Duration
	slowest                     string
}

func newLedger() ledger {
	now := time.Now()
	return ledger{lock: &sync.Mutex{}, failed: map[string]int{}, streams: map[string]int{}, texts: map[string]int{}, long: []seen{},
		started: now, lastWell: now}
}

func (l *ledger) note(path string, begun time.Time, err error) {
	l.lock.Lock()
	defer l.lock.Unlock()
	l.calls++
	now := time.Now()
	if waited := now.Sub(begun); waited > l.longestWait && method(path) != "PullImage" {
		l.longestWait, l.slowest = waited, method(path)
	}
	if err != nil {
		l.failed[method(path)+" "+status.Code(err).String()]++
		l.texts[shown(status.Convert(err).Message())]++
		return
	}
	if without := now.Sub(l.lastWell); without > l.longestWithout {
		l.longestWithout = without
	}
	l.lastWell = now
}

func (l *ledger) noteStream(path string, err error) {
	l.lock.Lock()
	defer l.lock.Unlock()
	l.streams[method(path)+" "+status.Code(err).String()]++
}

func (l *ledger) noteLong(path string, begun time.Time, err error) {
	l.lock.Lock()
	defer l.lock.Unlock()
	of := status.Convert(err)
	l.long = append(l.long, seen{
		"call": method(path), "code": of.Code().String(), "message": shown(of.Message()), "seconds": time.Since(begun).Seconds(),
	})
}

func (l *ledger) show() {
	l.lock.Lock()
	defer l.lock.Unlock()
	show("kubelet-load", seen{"failed": l.failed, "texts": l.texts, "streams": l.streams, "long": l.long}, seen{
		"calls": l.calls, "seconds": time.Since(l.started).Seconds(), "longest wait ms": l.longestWait.Milliseconds(), "slowest": l.slowest,
		"longest without an answer ms": l.longestWithout.Milliseconds(),
	})
}
