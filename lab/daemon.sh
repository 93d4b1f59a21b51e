# shellcheck shell=bash
# Processes that outlive the command which started them. Each has a file with its pid and start time in DIRECTORY/daemons, so that any
# later command can end it, and never another process that was given the same pid.

# start_daemon DIRECTORY NAME COMMAND...: output goes to DIRECTORY/logs/NAME.log. It writes its file itself, before it becomes COMMAND:
# if we are killed in between, it can still be ended.
start_daemon() {
    local directory=$1 name=$2
    shift 2
    mkdir -p "$directory"/{daemons,logs}
    rm -f "$directory/daemons/$name"
    # shellcheck disable=SC2016
    setsid bash -c 'echo $$ $(sed "s/.*) //" /proc/$$/stat | cut -d " " -f 20) >"$0.new"; mv "$0.new" "$0"; exec "$@"' \
        "$directory/daemons/$name" "$@" </dev/null >>"$directory/logs/$name.log" 2>&1 &
    until [[ -e $directory/daemons/$name ]]; do sleep 0.005; done
}

start_time() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }

# daemon_pid DIRECTORY NAME: its pid while it runs (a zombie does not: on some machines it stays one for seconds).
daemon_pid() {
    local pid time
    read -r pid time 2>/dev/null <"$1/daemons/$2" || return 1
    [[ -n $time && $(start_time "$pid") == "$time" ]] && ! grep -q ') Z ' "/proc/$pid/stat" 2>/dev/null && printf '%s\n' "$pid"
}

# stop_daemon DIRECTORY NAME [SIGNAL]
stop_daemon() {
    local directory=$1 name=$2 signal=${3:-TERM} pid
    if pid=$(daemon_pid "$directory" "$name"); then
        kill "-$signal" "$pid" 2>/dev/null || true
        wait_for_end "$directory" "$name" 100 || kill -KILL "$pid" 2>/dev/null || true
        wait_for_end "$directory" "$name" 100 || true
    fi
    rm -f "$directory/daemons/$name"
}

# wait_for_end DIRECTORY NAME TIMES: of 50 ms each.
wait_for_end() {
    local left
    for ((left = $3; left > 0; left--)); do
        daemon_pid "$1" "$2" >/dev/null || return 0
        sleep 0.05
    done
    return 1
}

# await DIRECTORY NAME COMMAND...: until COMMAND succeeds; fails when the daemon ends, or after a minute.
await() {
    local directory=$1 name=$2 left
    shift 2
    for ((left = 1200; left > 0; left--)); do
        ! "$@" >/dev/null 2>&1 || return 0
        daemon_pid "$directory" "$name" >/dev/null || break
        sleep 0.05
    done
    fail "$name did not start:" "$(tail -n 5 "$directory/logs/$name.log")"
}
