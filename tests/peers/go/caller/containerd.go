package main

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc"

	"peers/wire"
)

const (
	runtimeService = "/runtime.v1.RuntimeService/"
	imageService   = "/runtime.v1.ImageService/"
	eventsService  = "/containerd.services.events.v1.Events/"
	contentService = "/containerd.services.content.v1.Content/"
)

var namespace = with{pairs: []string{"containerd-namespace", "peers"}}

func init() {
	add("containerd", "cri_version_and_status", versionAndStatus)
	add("containerd", "cri_lists", lists)
	add("containerd", "cri_image_fs_info", fsInfo)
	add("containerd", "cri_missing_things", missingThings)
	add("containerd", "unknown_methods_and_services", unknownToContainerd)
	add("containerd", "container_events", containerEvents)
	add("containerd", "bad_requests", badRequests)
	add("containerd", "health", health)
	add("containerd", "events_reach_300_subscribers", subscribers)
	add("containerd", "content_is_written_and_read", content)
	add("containerd", "message_above_the_runtimes_limit", aboveTheRuntimesLimit)
	add("containerd", "metadata_of_60_KB_to_containerd", bigMetadataToContainerd)
	add("containerd", "compressed_request_to_containerd", compressedToContainerd)
	add("containerd", "deadline_on_containerd", deadlineOnContainerd)
	add("containerd", "keepalive_that_containerd_forbids", keepaliveThatContainerdForbids)
	add("containerd", "authorities_on_containerd", authoritiesOnContainerd)
}

// each calls methods of a service in both of its versions.
func each(channel *channel, methods ...string) (results []seen) {
	for _, version := range []string{"v1", "v1alpha2"} {
		for _, method := range methods {
			results = append(results, channel.one("/runtime."+version+"."+method, nil))
		}
	}
	return results
}

func versionAndStatus(channel *channel, _ measurements) interface{} {
	return each(channel, "RuntimeService/Version", "RuntimeService/Status")
}

func lists(channel *channel, _ measurements) interface{} {
	return each(channel, "ImageService/ListImages", "RuntimeService/ListContainers", "RuntimeService/ListPodSandbox",
		"RuntimeService/ListContainerStats")
}

func fsInfo(channel *channel, _ measurements) interface{} {
	answer := channel.answerOf(imageService+"ImageFsInfo", nil)
	fields, err := wire.Read(answer)
	must(err)
	return []interface{}{shown(wire.FindText(answer, 1, 2, 1)), len(fields)}
}

func missingThings(channel *channel, _ measurements) interface{} {
	image, nope := wire.Message(1, wire.Text(1, "sha256:"+strings.Repeat("1", 64))), wire.Text(1, "nope")
	results := []seen{channel.one(imageService+"ImageStatus", image), channel.one(imageService+"RemoveImage", image)}
	for _, method := range []string{"ContainerStatus", "StopContainer", "PodSandboxStatus", "ExecSync"} {
		results = append(results, channel.one(runtimeService+method, nope))
	}
	return results
}

func unknownToContainerd(channel *channel, _ measurements) interface{} {
	return both(channel, runtimeService+"FromTheFuture", "/runtime.v2.ImageService/PullImage", imageService+"StreamImages", "/made.up/Call")
}

func containerEvents(channel *channel, _ measurements) interface{} {
	ended := channel.few(runtimeService+"GetContainerEvents", nil, with{timeout: 500 * time.Millisecond})
	return []interface{}{ended["code"], ended["message"], ended["messages"]}
}

func badRequests(channel *channel, _ measurements) interface{} {
	return []seen{channel.one(runtimeService+"ContainerStatus", []byte{255, 255, 255}), channel.one(runtimeService+"RunPodSandbox", nil)}
}

func health(channel *channel, _ measurements) interface{} {
	check := channel.one("/grpc.health.v1.Health/Check", nil)
	watch := channel.start("/grpc.health.v1.Health/Watch", nil)
	first := shownBytes(watch.next())
	watch.cancel()
	return []interface{}{check, first, watch.collect()}
}

// subscribers get an event that is published until all of them have one: nothing tells that a subscription has begun.
func subscribers(channel *channel, _ measurements) interface{} {
	received := make(chan interface{}, 300)
	calls := make([]*stream, cap(received))
	for number := range calls {
		calls[number] = channel.start(eventsService+"Subscribe", wire.Text(1, `topic=="/peers/test"`), namespace)
		go func(call *stream) {
			var envelope []byte
			if err := call.RecvMsg(&envelope); err != nil {
				received <- err.Error()
			} else {
				received <- shownBytes(wire.Without(envelope, 1)) // the time
			}
		}(calls[number])
	}
	event := wire.Join(wire.Text(1, "/peers/test"), wire.Message(2, wire.Join(wire.Text(1, "peers"), wire.Text(2, "event"))))
	published := seen{}
	for until := time.Now().Add(patience); len(received) < len(calls) && time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		published[fmt.Sprint(channel.one(eventsService+"Publish", event, namespace))] = true
	}
	var envelopes, ends []interface{}
	for _, call := range calls {
		envelopes = append(envelopes, <-received)
		call.cancel()
		ends = append(ends, call.collect()["code"])
	}
	return seen{"published": published, "envelopes": tally(envelopes), "ends": tally(ends)}
}

func content(channel *channel, _ measurements) interface{} {
	const step = 4 << 20
	blob := bytes.Repeat([]byte("golang: "), 3<<20)
	digest := "sha256:" + hashOf(blob)
	request := func(action uint64, offset int, more ...[]byte) []byte {
		return wire.Join(wire.Number(1, action), wire.Text(2, "peers-go"), wire.Number(3, uint64(len(blob))), wire.Text(4, digest),
			wire.Number(5, uint64(offset)), wire.Join(more...))
	}
	call := channel.open(contentService+"Write", namespace)
	var answers []string
	write := func(message []byte) {
		call.send(message)
		answers = append(answers, shownBytes(wire.Without(call.next(), 2, 3))) // times
	}
	for offset := 0; offset < len(blob); offset += step {
		write(request(1, offset, wire.Message(6, blob[offset:offset+step])))
	}
	write(request(2, len(blob), wire.Message(7, wire.Join(wire.Text(1, "containerd.io/gc.root"), wire.Text(2, "peers")))))
	must(call.CloseSend())
	end := call.collect()
	return seen{"written": answers, "end": end, "read": channel.few(contentService+"Read", wire.Text(1, digest), namespace),
		"removed": channel.one(contentService+"Delete", wire.Text(1, digest), namespace)}
}

func aboveTheRuntimesLimit(channel *channel, _ measurements) interface{} {
	limit := with{options: []grpc.CallOption{grpc.MaxCallSendMsgSize(big)}}
	return channel.one(runtimeService+"Status", wire.Message(1000, make([]byte, 17<<20)), limit)
}

func bigMetadataToContainerd(channel *channel, _ measurements) interface{} {
	pairs := []string{"big", strings.Repeat("abcdefgh", 7500), "big-bin", string(octets())}
	return channel.one(runtimeService+"Version", nil, with{pairs: pairs})
}

func compressedToContainerd(channel *channel, _ measurements) interface{} {
	message := wire.Message(1000, bytes.Repeat([]byte("x"), 5000))
	return []seen{channel.one(runtimeService+"Version", message, gzipped), channel.one(runtimeService+"Status", message, gzipped)}
}

// deadlineOnContainerd: containerd ends the call at its deadline too, with a status of its own; which of the two is first is chance.
func deadlineOnContainerd(channel *channel, _ measurements) interface{} {
	ended := channel.few(eventsService+"Subscribe", nil, with{pairs: namespace.pairs, timeout: 300 * time.Millisecond})
	if strings.Contains(strings.ToLower(ended["message"].(string)), "deadline exceeded") {
		return "ended at the deadline"
	}
	return ended
}

func keepaliveThatContainerdForbids(*channel, measurements) interface{} {
	eager := connect(pinging(50 * time.Millisecond))
	defer eager.close()
	ended := eager.few(eventsService+"Subscribe", nil, namespace)
	return []interface{}{ended["code"], ended["message"], eager.one(runtimeService+"Version", nil)}
}

func authoritiesOnContainerd(*channel, measurements) interface{} {
	result := seen{"by path": byPath().one(runtimeService+"Version", nil)}
	for _, authority := range []string{"localhost", "/run/x.sock", "%2Frun%2Fx.sock"} {
		result[authority] = connect(grpc.WithAuthority(authority)).one(runtimeService+"Version", nil)
	}
	return result
}
