// A gRPC caller on grpc-go that runs scenarios; ../../README.md is its contract.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

var (
	socketPath string
	scenarios  = map[string][]scenario{}
)

// A scenario gives everything that can be observed and does not depend on time; what does goes into measured.
type scenario struct {
	name string
	run  func(channel *channel, measured map[string]interface{}) interface{}
}

func add(group, name string, run func(channel *channel, measured map[string]interface{}) interface{}) {
	scenarios[group] = append(scenarios[group], scenario{name, run})
}

func main() {
	var group string
	socketPath, group = os.Args[1], os.Args[2]
	if group == "kubelet-load" {
		load(os.Args[3])
		return
	}
	for _, scenario := range scenarios[group] {
		if len(os.Args) == 3 || has(os.Args[3:], scenario.name) {
			run(scenario)
		}
	}
}

func run(scenario scenario) {
	measured := map[string]interface{}{}
	started := time.Now()
	channel := connect()
	result := attempt(scenario, channel, measured)
	channel.close()
	measured["seconds"] = time.Since(started).Seconds()
	show(scenario.name, result, measured)
}

// attempt makes a result of a scenario that breaks too: it must break alike on both sides.
func attempt(scenario scenario, channel *channel, measured map[string]interface{}) (result interface{}) {
	defer func() {
		if broke := recover(); broke != nil {
			fmt.Fprintln(os.Stderr, broke)
			result = seen{"broke": shown(fmt.Sprint(broke))}
		}
	}()
	return scenario.run(channel, measured)
}

func show(name string, result, measured interface{}) {
	line, err := json.Marshal(map[string]interface{}{"scenario": name, "result": result, "measured": measured})
	must(err)
	fmt.Println(string(line))
}

func has(names []string, name string) bool {
	for _, known := range names {
		if known == name {
			return true
		}
	}
	return false
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
