# shellcheck shell=bash
# A control plane: etcd, API server, controller-manager and scheduler on loopback. Kubelets of the same directory can join it.

cluster_controllers=daemonset,deployment,replicaset,garbagecollector,namespace,nodelifecycle,podgc

# start_cluster DIRECTORY: prints the path of a kubeconfig with every right.
start_cluster() {
    local directory=$1 home=$1/cluster etcd api
    [[ -z $(missing_kubernetes_programs) ]] || fail "Kubernetes is not installed: lab/lab install kubernetes"
    mkdir -p "$home"
    make_certificate "$directory"
    etcd=$(any_port) api=$(any_port)
    start_etcd "$directory" "$etcd"
    start_api_server "$directory" "$etcd" "$api"
    start_daemon "$directory" controller-manager "$(kubernetes_home)/kube-controller-manager" --kubeconfig "$home/kubeconfig" \
        --leader-elect=false --port 0 --secure-port 0 --controllers "$cluster_controllers"
    start_daemon "$directory" scheduler "$(kubernetes_home)/kube-scheduler" --kubeconfig "$home/kubeconfig" \
        --leader-elect=false --port 0 --secure-port 0
    printf '%s\n' "$home/kubeconfig"
}

# stop_cluster DIRECTORY: at once, since nothing of it is needed again; asked to end, the API server would wait for its callers.
stop_cluster() {
    local part
    for part in scheduler controller-manager api-server etcd; do stop_daemon "$1" "$part" KILL; done
}

start_etcd() {
    local directory=$1 port=$2 peers
    peers=$(any_port)
    start_daemon "$directory" etcd "$LAB_CACHE/etcd/usr/bin/etcd" --data-dir "$directory/cluster/etcd" --log-level warn --logger zap \
        --listen-client-urls "http://127.0.0.1:$port" --advertise-client-urls "http://127.0.0.1:$port" \
        --listen-peer-urls "http://127.0.0.1:$peers" --initial-advertise-peer-urls "http://127.0.0.1:$peers" \
        --initial-cluster "default=http://127.0.0.1:$peers"
    await "$directory" etcd curl -sf -o /dev/null "http://127.0.0.1:$port/health"
}

# start_api_server DIRECTORY ETCD-PORT PORT: with the certificate that registries have. Pods are given no token: none of them calls it.
start_api_server() {
    local directory=$1 etcd=$2 port=$3 home=$1/cluster token
    token=$(openssl rand -hex 16)
    (umask 077 && printf '%s,admin,admin,system:masters\n' "$token" >"$home/tokens.csv")
    kubeconfig "https://127.0.0.1:$port" "$directory/tls/ca.crt" "$token" >"$home/kubeconfig"
    start_daemon "$directory" api-server "$(kubernetes_home)/kube-apiserver" --etcd-servers "http://127.0.0.1:$etcd" \
        --bind-address 127.0.0.1 --secure-port "$port" --advertise-address 192.0.2.1 --endpoint-reconciler-type none \
        --tls-cert-file "$directory/tls/registry.crt" --tls-private-key-file "$directory/tls/registry.key" --cert-dir "$home/certs" \
        --token-auth-file "$home/tokens.csv" --authorization-mode RBAC --disable-admission-plugins ServiceAccount \
        --service-account-issuer https://cluster.lab.test --service-account-key-file "$directory/tls/registry.crt" \
        --service-account-signing-key-file "$directory/tls/registry.key" --service-cluster-ip-range 10.99.0.0/24
    await "$directory" api-server kubectl "$home/kubeconfig" get namespace default kube-system
}

kubeconfig() {
    cat <<YAML
apiVersion: v1
kind: Config
clusters: [{name: lab, cluster: {server: "$1", certificate-authority: "$2"}}]
users: [{name: admin, user: {token: "$3"}}]
contexts: [{name: lab, context: {cluster: lab, user: admin}}]
current-context: lab
YAML
}

# kubectl KUBECONFIG ARGUMENT...
kubectl() { "$(kubernetes_home)/kubectl" --kubeconfig "$@"; }

# helm KUBECONFIG ARGUMENT...: what it caches lies beside the kubeconfig.
helm() {
    HELM_CACHE_HOME=${1%/*}/helm HELM_CONFIG_HOME=${1%/*}/helm HELM_DATA_HOME=${1%/*}/helm "$(kubernetes_home)/helm" --kubeconfig "$@"
}

# any_port: prints a TCP port of 127.0.0.1 that is free at the moment.
any_port() { /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
