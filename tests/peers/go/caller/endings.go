package main

import (
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

func init() {
	add("strict", "keepalive_that_the_runtime_forbids", forbiddenKeepalive)
	add("age", "calls_outlive_the_age_of_their_connection", outlivingTheConnection)
	add("age", "calls_go_on_over_many_connections", overManyConnections)
	add("shutdown", "a_runtime_that_stops_lets_calls_finish", finishingWhileItStops)
}

func forbiddenKeepalive(*channel, measurements) interface{} {
	eager := connect(pinging(50 * time.Millisecond))
	defer eager.close()
	ended := eager.few("/test.Fake/Hang", asked(seen{"id": name("forbidden")}), with{timeout: 5 * time.Second})
	return seen{"ended": []interface{}{ended["code"], ended["message"]}, "another": eager.one("/test.Fake/Unary", []byte("x"))}
}

func outlivingTheConnection(channel *channel, _ measurements) interface{} {
	call := channel.open("/test.Fake/Bidi")
	call.send([]byte("first"))
	first := call.next()
	time.Sleep(900 * time.Millisecond) // the runtime says GOAWAY at 0.4 s, give or take a tenth; the call goes on
	call.send([]byte("second"))
	second := call.next()
	must(call.CloseSend())
	rest, another := call.collect(), channel.one("/test.Fake/Unary", []byte("x"))
	return seen{"first": string(first), "second": string(second), "rest": rest, "another": another}
}

func overManyConnections(channel *channel, _ measurements) interface{} {
	var answers []interface{}
	for until := time.Now().Add(2 * time.Second); time.Now().Before(until); { // five connections long
		answers = append(answers, channel.one("/test.Fake/Unary", []byte("x")))
	}
	kinds := map[string]bool{}
	for kind := range tally(answers) {
		kinds[kind] = true
	}
	return kinds
}

func finishingWhileItStops(channel *channel, _ measurements) interface{} {
	call := channel.open("/test.Fake/Bidi")
	call.send([]byte("first"))
	echoes := []string{string(call.next())}
	stop := channel.one("/test.Fake/Control", asked(seen{"op": "stop", "grace": 30}))
	for number := 0; number < 20; number++ {
		call.send([]byte(fmt.Sprint(number)))
		echoes = append(echoes, string(call.next()))
	}
	must(call.CloseSend())
	return seen{"echoes": strings.Join(echoes, ","), "stop": stop, "rest": call.collect()}
}

// monotonic gives nanoseconds of the clock that every process reads alike.
func monotonic() int64 {
	var now unix.Timespec
	must(unix.ClockGettime(unix.CLOCK_MONOTONIC, &now))
	return now.Nano()
}
