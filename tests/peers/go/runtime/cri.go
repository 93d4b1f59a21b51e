package main

import (
	"context"
	"strconv"
	"time"

	"google.golang.org/grpc"

	"peers/wire"
)

// registerCri serves what kubelet calls again and again, and what lasts: ExecSync of "sleep SECONDS", StopContainer that takes its time,
// streams of events without an event.
func registerCri(server *grpc.Server, images *images) {
	for _, version := range []string{"v1", "v1alpha2"} {
		register(server, "runtime."+version+".ImageService", map[string]unaryHandler{
			"ImageStatus": images.noted("ImageStatus", images.status), "PullImage": images.noted("PullImage", images.pull),
			"RemoveImage": images.noted("RemoveImage", images.remove), "ListImages": images.noted("ListImages", images.list),
			"ImageFsInfo": images.noted("ImageFsInfo", fsInfo),
		}, nil)
		register(server, "runtime."+version+".RuntimeService", map[string]unaryHandler{
			"Version":        answer(wire.Join(wire.Text(1, "0.1.0"), wire.Text(2, "fake"), wire.Text(3, "v1.2.3"), wire.Text(4, version))),
			"Status":         answer(wire.Message(1, wire.Join(ready("RuntimeReady"), ready("NetworkReady")))),
			"ListPodSandbox": answer(nil), "ListContainers": answer(nil), "ExecSync": execSync, "StopContainer": stopContainer,
		}, map[string]grpc.StreamHandler{"GetContainerEvents": few(nothing)})
	}
	register(server, "containerd.services.events.v1.Events", nil, map[string]grpc.StreamHandler{"Subscribe": few(nothing)})
}

func answer(message []byte) unaryHandler {
	return func(context.Context, []byte) ([]byte, error) { return message, nil }
}

func ready(condition string) []byte {
	return wire.Message(1, wire.Join(wire.Text(1, condition), wire.Number(2, 1)))
}

func execSync(ctx context.Context, request []byte) ([]byte, error) {
	command := wire.FindAll(request, 2)
	if len(command) == 2 && command[0] == "sleep" {
		count, _ := strconv.ParseFloat(command[1], 64)
		if err := wait(ctx, seconds(count)); err != nil {
			return nil, err
		}
	}
	return wire.Text(1, "done"), nil
}

func stopContainer(ctx context.Context, request []byte) ([]byte, error) {
	return []byte{}, wait(ctx, time.Duration(wire.FindNumber(request, 2))*time.Second)
}

// nothing is a stream without messages that ends with its caller.
func nothing(stream grpc.ServerStream, _ []byte) error {
	<-stream.Context().Done()
	return nil
}
