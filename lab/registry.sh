# shellcheck shell=bash
# Registries: Debian's docker-registry on loopback, open or with a password, plain or TLS under a private authority.

registry_packages=(apache2-utils openssl curl)

install_registry() {
    install_packages "${registry_packages[@]}"
    unpack_package bookworm docker-registry "$LAB_CACHE/tools" || fail "docker-registry could not be had from Debian." "See $LAB_CACHE/logs."
}

# start_registry DIRECTORY NAME PORT [--auth USER:PASSWORD | --token REALM SIGNERS-FILE] [--tls [--client-ca FILE]]
# Tokens are for the service registry.of.tests, issued by tests and signed by an authority in SIGNERS-FILE.
start_registry() {
    local directory=$1 name=$2 port=$3 home=$1/registry-$2 auth='' realm='' signers='' tls='' client_ca=''
    shift 3
    while [[ $# -gt 0 ]]; do
        case $1 in
            --auth) auth=$2 && shift ;;
            --token) realm=$2 signers=$3 && shift 2 ;;
            --tls) tls=yes ;;
            --client-ca) client_ca=$2 && shift ;;
            *) fail "start_registry: what is '$1'?" ;;
        esac
        shift
    done
    need_free_port "$port" "registry '$name'"
    mkdir -p "$home"
    [[ -z $tls ]] || make_certificate "$directory"
    {
        registry_config "$directory" "$home" "$port" "$auth" "$tls" "$client_ca"
        [[ -z $realm ]] || token_config "$realm" "$signers"
    } >"$home/config.yml"
    start_daemon "$directory" "registry-$name" "$LAB_CACHE/tools/usr/bin/docker-registry" serve "$home/config.yml"
    if [[ -n $client_ca ]]; then
        await "$directory" "registry-$name" port_listens "$port" # curl has no certificate that it would take
    else
        await "$directory" "registry-$name" curl -sk -o /dev/null "http${tls:+s}://127.0.0.1:$port/v2/"
    fi
}

# port_listens PORT: whether anybody listens there.
port_listens() { (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

stop_registry() { stop_daemon "$1" "registry-$2" "${3:-TERM}"; }

registry_config() {
    local directory=$1 home=$2 port=$3 auth=$4 tls=$5 client_ca=$6
    cat <<YAML
version: 0.1
log: {level: info, formatter: text}
storage: {filesystem: {rootdirectory: $home/data}, delete: {enabled: true}}
http:
  addr: 127.0.0.1:$port
YAML
    [[ -z $tls ]] ||
        printf '  tls: {certificate: %s/tls/registry.crt, key: %s/tls/registry.key%s}\n' "$directory" "$directory" "${client_ca:+, clientcas: [$client_ca]}"
    [[ -n $auth ]] || return 0
    htpasswd -Bbn "${auth%%:*}" "${auth#*:}" >"$home/htpasswd" 2>/dev/null
    printf 'auth: {htpasswd: {realm: lab, path: %s/htpasswd}}\n' "$home"
}

token_config() {
    printf 'auth: {token: {realm: "%s", service: registry.of.tests, issuer: tests, rootcertbundle: %s}}\n' "$1" "$2"
}

# make_certificate DIRECTORY: DIRECTORY/tls/ca.crt and a certificate for every name that the lab uses.
make_certificate() {
    local tls=$1/tls
    [[ ! -e $tls/registry.crt ]] || return 0
    mkdir -p "$tls"
    {
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj '/CN=lab authority' \
            -keyout "$tls/ca.key" -out "$tls/ca.crt"
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=sealos.hub' -keyout "$tls/registry.key" -out "$tls/registry.csr"
        openssl x509 -req -in "$tls/registry.csr" -CA "$tls/ca.crt" -CAkey "$tls/ca.key" -CAcreateserial -days 2 -out "$tls/registry.crt" \
            -extfile <(printf 'subjectAltName=DNS:sealos.hub,DNS:*.lab.test,DNS:localhost,IP:127.0.0.1')
    } 2>"$tls/openssl.log" || fail "openssl:" "$(cat "$tls/openssl.log")"
}

# push_image LAYOUT:TAG HOST:PORT/REPOSITORY:TAG [USER:PASSWORD [CA-FILE]]: prints the digest.
push_image() {
    local layout=$1 target=$2 auth=${3:-} authority=${4:-} options=(--all --quiet) digest
    [[ -z $auth ]] || options+=(--dest-creds "$auth")
    digest=$(mktemp -d)
    if [[ -n $authority ]]; then
        cp "$authority" "$digest/ca.crt"
        options+=(--dest-cert-dir "$digest")
    else
        options+=(--dest-tls-verify=false)
    fi
    skopeo copy "${options[@]}" --digestfile "$digest/digest" "oci:$layout" "docker://$target" >/dev/null </dev/null ||
        fail "$target could not be pushed."
    printf '%s\n' "$(<"$digest/digest")"
    rm -rf "$digest"
}
