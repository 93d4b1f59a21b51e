package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"sort"
	"strings"
	"time"

	"google.golang.org/grpc"

	"peers/wire"
)

const big = 32 << 20

type measurements = map[string]interface{}

func init() {
	add("calls", "unary", unary)
	add("calls", "many_unary_calls_on_one_connection", manyUnaryCalls)
	add("calls", "server_streaming_of_10000_messages", serverStreaming)
	add("calls", "bidirectional_streaming", bidirectionalStreaming)
	add("calls", "client_streaming", clientStreaming)
	add("calls", "a_stalled_stream_beside_live_ones", stalledStream)
	add("calls", "streams_at_once_300", streamsAtOnce)
	add("calls", "messages_of_32_MB_both_ways", bigMessages)
	add("calls", "metadata_of_60_KB", bigMetadata)
	add("calls", "metadata_of_60_KB_in_many_fields", manyFields)
	add("calls", "repeated_and_binary_metadata", repeatedMetadata)
	add("calls", "trailers_only_answers", trailersOnly)
	add("calls", "errors_after_data", errorsAfterData)
	add("calls", "every_status_code", everyStatusCode)
	add("calls", "status_texts", statusTexts)
	add("calls", "status_details", statusDetails)
	add("calls", "deadline_exceeded", deadlineExceeded)
	add("calls", "cancellation_is_seen", cancellation)
	add("calls", "caller_closes_with_calls_in_flight", closing)
	add("calls", "unknown_service_and_method", unknown)
	add("calls", "what_the_runtime_sees", whatTheRuntimeSees)
	add("calls", "compressed_messages", compressed)
	add("calls", "authorities", authorities)
	add("calls", "message_above_the_callers_limit", aboveTheLimit)
	add("calls", "keepalive_that_the_runtime_allows", allowedKeepalive)
	add("calls", "image_calls", imageCalls)
}

func unary(channel *channel, _ measurements) interface{} {
	return []seen{channel.one("/test.Fake/Unary", []byte("hello")), channel.one("/test.Fake/Unary", nil),
		channel.one("/runtime.v1.RuntimeService/Version", nil), channel.one("/runtime.v1alpha2.RuntimeService/Version", wire.Text(1, "v1alpha2")),
		channel.one("/runtime.v1.ImageService/ImageFsInfo", nil)}
}

func manyUnaryCalls(channel *channel, _ measurements) interface{} {
	var answers []interface{}
	for number := 0; number < 300; number++ {
		answers = append(answers, channel.one("/test.Fake/Unary", bytes.Repeat([]byte("x"), number%7*1000)))
	}
	return tally(answers)
}

func serverStreaming(channel *channel, _ measurements) interface{} {
	return channel.few("/test.Fake/ServerStream", asked(seen{"count": 10_000, "size": 120}), with{pairs: []string{"echo-a", "b"}})
}

func bidirectionalStreaming(channel *channel, _ measurements) interface{} {
	call, echoes := channel.open("/test.Fake/Bidi"), sha256.New()
	for number := 0; number < 200; number++ {
		call.send([]byte(strings.Repeat(fmt.Sprint(number), number+1)))
		echoes.Write(call.next())
	}
	must(call.CloseSend())
	return seen{"sha256": hex.EncodeToString(echoes.Sum(nil)), "rest": call.collect()}
}

func clientStreaming(channel *channel, _ measurements) interface{} {
	call := channel.open("/test.Fake/ClientStream")
	for number := 0; number < 2000; number++ {
		call.send([]byte(strings.Repeat(fmt.Sprint(number), 50)))
	}
	must(call.CloseSend())
	return seen{"answer": string(call.next()), "end": call.collect()}
}

func stalledStream(channel *channel, _ measurements) interface{} {
	stalled := channel.start("/test.Fake/ServerStream", asked(seen{"count": 400, "size": 16384}))
	first := stalled.next() // it has begun; nothing more is read while others live
	var live []interface{}
	for number := 0; number < 200; number++ {
		live = append(live, channel.one("/test.Fake/Unary", bytes.Repeat([]byte("x"), 5000)))
	}
	streamed := channel.few("/test.Fake/ServerStream", asked(seen{"count": 50, "size": 30_000}))
	return seen{"first": shownBytes(first), "live": tally(live), "streamed": streamed, "rest of the stalled": stalled.collect()}
}

func streamsAtOnce(channel *channel, _ measurements) interface{} {
	calls := make([]*stream, 300)
	for number := range calls {
		calls[number] = channel.open("/test.Fake/Bidi")
		calls[number].send([]byte(fmt.Sprint(number)))
	}
	var first []string
	for _, call := range calls { // all of them are open when the last has answered
		first = append(first, string(call.next()))
	}
	var ends []interface{}
	for _, call := range calls {
		must(call.CloseSend())
		ends = append(ends, call.collect())
	}
	return seen{"first": shown(strings.Join(first, ",")), "ends": tally(ends)}
}

func octets() []byte {
	all := make([]byte, 256)
	for number := range all {
		all[number] = byte(number)
	}
	return all
}

func bigMessages(channel *channel, _ measurements) interface{} {
	limits := []grpc.CallOption{grpc.MaxCallRecvMsgSize(2 * big), grpc.MaxCallSendMsgSize(2 * big)}
	return channel.one("/test.Fake/Unary", bytes.Repeat(octets(), big/256), with{options: limits})
}

func bigMetadata(channel *channel, _ measurements) interface{} {
	return channel.one("/test.Fake/Unary", []byte("x"), with{pairs: []string{"echo-big", strings.Repeat("abcdefgh", 7500)}})
}

func manyFields(channel *channel, _ measurements) interface{} {
	var pairs []string
	for number := 0; number < 180; number++ {
		pairs = append(pairs, fmt.Sprintf("echo-%03d", number), strings.Repeat("v", 300))
	}
	return channel.one("/test.Fake/Unary", []byte("x"), with{pairs: pairs})
}

func repeatedMetadata(channel *channel, _ measurements) interface{} {
	how := with{pairs: []string{"echo-a", "1", "echo-b", "x", "echo-a", "2", "echo-data-bin", string(octets()), "echo-data-bin", "",
		"echo-data-bin", "\x00\x01", "echo-a", "3, 4", "traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}}
	return []seen{channel.one("/test.Fake/Unary", []byte("x"), how),
		channel.few("/test.Fake/ServerStream", asked(seen{"count": 2, "size": 10}), how), channel.inspect(how)}
}

func trailersOnly(channel *channel, _ measurements) interface{} {
	how := with{pairs: []string{"echo-a", "b"}}
	failing := asked(seen{"code": 9, "message": "not now"})
	return []seen{channel.one("/test.Fake/Fail", failing, how), channel.few("/test.Fake/Fail", failing, how)}
}

func errorsAfterData(channel *channel, _ measurements) interface{} {
	var results []seen
	for _, count := range []int{0, 1, 50} {
		failing := asked(seen{"code": 14, "message": "gone", "after": count})
		results = append(results, channel.few("/test.Fake/Fail", failing, with{pairs: []string{"echo-a", "b"}}))
	}
	return results
}

func everyStatusCode(channel *channel, _ measurements) interface{} {
	var results []seen
	for code := 1; code <= 16; code++ {
		results = append(results, channel.few("/test.Fake/Fail", asked(seen{"code": code, "message": fmt.Sprintf("text of %d", code)})))
	}
	return results
}

func statusTexts(channel *channel, _ measurements) interface{} {
	texts := []string{"a \"quoted\" text: 100%", "lines\nand\ttabs", "снимок 镜像 🐳", "%41 stays", strings.Repeat("x", 3000)}
	var results []seen
	for _, text := range texts {
		results = append(results, channel.few("/test.Fake/Fail", asked(seen{"code": 2, "message": text})))
	}
	return results
}

func statusDetails(channel *channel, _ measurements) interface{} {
	detail := wire.Join(wire.Text(1, "type.googleapis.com/a.Detail"), wire.Message(2, octets()))
	details := base64.StdEncoding.EncodeToString(wire.Join(wire.Number(1, 8), wire.Text(2, "full"), wire.Message(3, detail)))
	return []seen{channel.few("/test.Fake/Fail", asked(seen{"code": 8, "message": "full", "details": details})),
		channel.few("/test.Fake/Fail", asked(seen{"code": 8, "message": "full", "details": details, "after": 2}))}
}

func name(of string) string { return fmt.Sprintf("%s %d", of, time.Now().UnixNano()) }

func deadlineExceeded(channel *channel, _ measurements) interface{} {
	ended := channel.few("/test.Fake/Hang", asked(seen{"id": name("deadline")}), with{timeout: 300 * time.Millisecond})
	id := name("seen")
	channel.few("/test.Fake/Hang", asked(seen{"id": id}), with{timeout: 200 * time.Millisecond})
	noted := channel.jsonOf("/test.Fake/Seen", asked(seen{"id": id}))
	return seen{"ended": []interface{}{ended["code"], ended["message"]}, "the runtime saw a deadline": noted["deadline"]}
}

func hang(channel *channel, id string) *stream {
	call := channel.start("/test.Fake/Hang", asked(seen{"id": id}))
	_, err := call.Header() // the runtime has the call
	must(err)
	return call
}

func cancellation(channel *channel, measured measurements) interface{} {
	var result seen
	var delays []float64
	for attempt := 0; attempt < 5; attempt++ {
		id := name("cancel")
		call := hang(channel, id)
		before := monotonic()
		call.cancel()
		noted := channel.jsonOf("/test.Fake/Seen", asked(seen{"id": id}))
		delays = append(delays, (noted["at"].(float64)-float64(before))/1e6)
		ended := call.collect()
		result = seen{"code": ended["code"], "message": ended["message"], "deadline": noted["deadline"]}
	}
	measured["cancellation ms"] = delays
	return result
}

func closing(channel *channel, _ measurements) interface{} {
	id, other := name("close"), connect()
	call := hang(other, id)
	other.close()
	noted := channel.jsonOf("/test.Fake/Seen", asked(seen{"id": id}))
	ended := call.collect() // whether as cancelled or as unavailable is chance in older versions
	return seen{"ended well": ended["code"] == "OK", "the runtime saw a deadline": noted["deadline"]}
}

func unknown(channel *channel, _ measurements) interface{} {
	return both(channel, "/test.Nope/Unary", "/test.Fake/Nope", "/runtime.v1.RuntimeService/FromTheFuture",
		"/runtime.v2.ImageService/PullImage", "/grpc.health.v1.Health/Watch", "/made.up/Call")
}

// both calls each path as a unary and as a streaming one.
func both(channel *channel, paths ...string) (results []seen) {
	for _, path := range paths {
		results = append(results, channel.one(path, []byte{}), channel.few(path, []byte{}))
	}
	return results
}

func whatTheRuntimeSees(channel *channel, _ measurements) interface{} {
	return []seen{channel.inspect(with{pairs: []string{"a", "b", "traceparent", "00-01-02-03"}}),
		channel.inspect(with{without: true})}
}

func compressed(channel *channel, _ measurements) interface{} {
	message := bytes.Repeat([]byte("compressible "), 10_000)
	many := channel.open("/test.Fake/ClientStream", gzipped)
	for _, part := range [][]byte{message, {}, message} {
		many.send(part)
	}
	must(many.CloseSend())
	return []seen{channel.one("/test.Fake/Unary", message, gzipped), channel.one("/test.Fake/GzipUnary", message, gzipped),
		channel.one("/test.Fake/GzipUnary", message), channel.inspect(gzipped),
		{"answer": string(many.next()), "end": many.collect()}}
}

// inspect gives what the runtime saw; the order of fields with different names is chance here.
func (c *channel) inspect(how with) seen {
	saw := c.jsonOf("/test.Fake/Inspect", nil, how)
	if host, ok := saw["host"].(string); ok {
		saw["host"] = shown(host)
	}
	fields := [][2]string{}
	for _, pair := range saw["metadata"].([]interface{}) {
		field := pair.([]interface{})
		fields = append(fields, [2]string{field[0].(string), shown(field[1].(string))})
	}
	sort.SliceStable(fields, func(i, j int) bool { return fields[i][0] < fields[j][0] })
	saw["metadata"] = fields
	return saw
}

func authorities(*channel, measurements) interface{} {
	result := seen{}
	for _, authority := range []string{"localhost", "/run/x.sock", "%2Frun%2Fx.sock", "example.com:1234"} {
		result[authority] = withAuthority(connect(grpc.WithAuthority(authority)))
	}
	result["by path, as older kubelets"] = withAuthority(byPath())
	result["by target"] = withAuthority(dial("unix://" + socketPath))
	return result
}

func withAuthority(channel *channel) interface{} {
	defer channel.close()
	result := []interface{}{channel.one("/test.Fake/Unary", []byte("x"))}
	if inspected := channel.one("/test.Fake/Inspect", nil); inspected["code"] != "OK" {
		return append(result, inspected)
	}
	return append(result, channel.inspect(with{}))
}

func aboveTheLimit(*channel, measurements) interface{} {
	limited := connect(grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(1000)))
	defer limited.close()
	return []seen{limited.one("/test.Fake/Unary", make([]byte, 1001)), limited.one("/test.Fake/Unary", make([]byte, 1000))}
}

func allowedKeepalive(*channel, measurements) interface{} {
	eager := connect(pinging(50 * time.Millisecond))
	defer eager.close()
	ended := eager.few("/test.Fake/Hang", asked(seen{"id": name("keepalive")}), with{timeout: 700 * time.Millisecond})
	return []interface{}{ended["code"], ended["message"], eager.one("/test.Fake/Unary", []byte("x"))}
}

func imageCalls(channel *channel, _ measurements) interface{} {
	spec := wire.Message(1, wire.Text(1, "sha256:"+strings.Repeat("0", 64)))
	var results []seen
	for _, version := range []string{"v1", "v1alpha2"} {
		service := "/runtime." + version + ".ImageService/"
		results = append(results, channel.one(service+"ListImages", nil), channel.one(service+"ImageStatus", spec),
			channel.one(service+"RemoveImage", spec), channel.one(service+"ImageFsInfo", nil))
	}
	return results
}
