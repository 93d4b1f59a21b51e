// A fake container runtime on grpc-go; ../../README.md is its contract.
package main

import (
	"flag"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"google.golang.org/grpc"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/keepalive"
)

func main() {
	strict := flag.Bool("strict-keepalive", false, "allow a PING each 5 minutes")
	interval := flag.Int("min-ping-interval", 0, "allow a PING each so many milliseconds, and none while no call is under way")
	age := flag.Int("max-connection-age", 0, "say GOAWAY after so many milliseconds")
	slow := flag.Float64("slow-pulls", 0, "let a pull take so many seconds")
	socket, flags := os.Args[1], os.Args[2:]
	if err := flag.CommandLine.Parse(flags); err != nil {
		fail(err)
	}
	policy := keepalive.EnforcementPolicy{MinTime: 10 * time.Millisecond, PermitWithoutStream: true}
	if *strict {
		policy.MinTime = 5 * time.Minute
	}
	if *interval > 0 {
		policy = keepalive.EnforcementPolicy{MinTime: time.Duration(*interval) * time.Millisecond}
	}
	options := []grpc.ServerOption{
		grpc.MaxRecvMsgSize(math.MaxInt32), grpc.MaxSendMsgSize(math.MaxInt32), grpc.MaxHeaderListSize(1 << 20),
		grpc.KeepaliveEnforcementPolicy(policy),
	}
	if *age > 0 {
		options = append(options, grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionAge: time.Duration(*age) * time.Millisecond, MaxConnectionAgeGrace: time.Minute,
		}))
	}
	serve(socket, grpc.NewServer(options...), seconds(*slow))
}

func serve(socket string, server *grpc.Server, slow time.Duration) {
	images := newImages(slow)
	registerFake(server, &fake{images: images, endings: newEndings(), stop: func(grace time.Duration) { stop(server, grace) }})
	registerCri(server, images)
	_ = os.Remove(socket)
	listener, err := net.Listen("unix", socket)
	if err != nil {
		fail(err)
	}
	go endWithTheParent()
	go stopWhenAsked(server)
	fmt.Println("ready")
	if err := server.Serve(listener); err != nil {
		fail(err)
	}
	select {} // stop or the parent's end is the end
}

// stop ends calls in flight only when the time of grace is over.
func stop(server *grpc.Server, grace time.Duration) {
	time.AfterFunc(grace, server.Stop)
	server.GracefulStop()
	os.Exit(0)
}

// stopWhenAsked waits for SIGTERM, which CRI-O answers with a graceful stop and the contract with an end; SIGHUP is the graceful one here.
func stopWhenAsked(server *grpc.Server) {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM, syscall.SIGHUP)
	if <-asked == syscall.SIGHUP {
		stop(server, time.Minute)
	}
	os.Exit(0)
}

func endWithTheParent() {
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

func seconds(count float64) time.Duration { return time.Duration(count * float64(time.Second)) }

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
