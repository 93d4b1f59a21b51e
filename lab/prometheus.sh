# shellcheck shell=bash
# Prometheus and promtool: Debian's, unpacked into the lab's cache. Installed they would start a service.

install_prometheus() {
    unpack_package bookworm prometheus "$LAB_CACHE/tools" || fail "prometheus could not be had from Debian." "See $LAB_CACHE/logs."
    forget_suites
}

promtool() { "$LAB_CACHE/tools/usr/bin/promtool" "$@"; }

# start_prometheus DIRECTORY PORT TARGET: scrapes TARGET each second and knows the alerts; keeps what it scrapes in DIRECTORY.
start_prometheus() {
    local directory=$1 port=$2 target=$3
    need_free_port "$port" "Prometheus"
    mkdir -p "$directory/prometheus"
    cat >"$directory/prometheus/prometheus.yml" <<YAML
global: {scrape_interval: 1s, evaluation_interval: 5s}
rule_files: [$ROOT/packaging/prometheus/image-cri-shim.rules.yaml]
scrape_configs:
  - job_name: image-cri-shim
    static_configs: [{targets: ["$target"]}]
YAML
    start_daemon "$directory" prometheus "$LAB_CACHE/tools/usr/bin/prometheus" --config.file="$directory/prometheus/prometheus.yml" \
        --storage.tsdb.path="$directory/prometheus/data" --web.listen-address="127.0.0.1:$port" --log.level=warn
    await "$directory" prometheus curl -sf -o /dev/null "http://127.0.0.1:$port/-/ready"
}

# ask_prometheus ADDRESS EXPRESSION: the value of the one series that it gives; nothing if there is none.
ask_prometheus() {
    curl -sS --max-time 5 --get --data-urlencode "query=$2" "$1/api/v1/query" | jq -r '.data.result[0].value[1] // empty'
}

# draw_dashboard ADDRESS SECONDS: the panels of the dashboard, with the last SECONDS of what that Prometheus scraped, as SVG.
draw_dashboard() { python3 "$ROOT/lab/draw-dashboard.py" "$ROOT/packaging/grafana/image-cri-shim.json" "$@"; }

verify_rules() {
    quietly "$(lab_log rules)" promtool check rules packaging/prometheus/image-cri-shim.rules.yaml || return 1
    quietly "$(lab_log rules)" promtool test rules packaging/prometheus/image-cri-shim.rules.test.yaml
}

# verify_metrics: what a shim shows after a start, as promtool would have it. It needs no runtime for that.
verify_metrics() {
    local directory port code=0
    directory=$(mktemp -d /tmp/image-cri-shim-scrape.XXXX)
    port=$(free_port 9464)
    start_shim "$directory" "$directory/none.sock" force=true address=http://127.0.0.1:1 "metrics=127.0.0.1:$port"
    await "$directory" shim curl -sf -o /dev/null "http://127.0.0.1:$port/healthz"
    curl -sS "http://127.0.0.1:$port/metrics" | tee "$directory/scrape" | promtool check metrics || code=1
    grep -q '^image_cri_shim_runtime_up 0$' "$directory/scrape" || code=1
    end_lab "$directory"
    return "$code"
}
