# shellcheck shell=bash disable=SC2154
# Keys, certificates and kubeconfigs.

key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null; }

certificate() { # NAME SUBJECT EXTENSIONS
  key "$dir/pki/$1.key"
  openssl req -new -key "$dir/pki/$1.key" -subj "$2" |
    openssl x509 -req -days 3650 -CA "$dir/pki/ca.crt" -CAkey "$dir/pki/ca.key" \
      -set_serial "0x$(openssl rand -hex 8)" -extfile <(printf '%s\n' "$3" 'keyUsage=critical,digitalSignature' 'basicConstraints=critical,CA:false') \
      -out "$dir/pki/$1.crt" 2>/dev/null
}

make_keys() {
  [ ! -f "$dir/pki/done" ] || return 0
  mkdir -p "$dir/pki"
  key "$dir/pki/ca.key"
  openssl req -x509 -new -key "$dir/pki/ca.key" -days 3650 -subj "/CN=control-plane-test-ca" \
    -addext 'keyUsage=critical,keyCertSign,cRLSign' -out "$dir/pki/ca.crt"
  certificate apiserver /CN=kube-apiserver "extendedKeyUsage=serverAuth
subjectAltName=IP:127.0.0.1,IP:10.96.0.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc"
  certificate admin /O=system:masters/CN=test-admin extendedKeyUsage=clientAuth
  certificate controller-manager /CN=system:kube-controller-manager extendedKeyUsage=clientAuth
  certificate scheduler /CN=system:kube-scheduler extendedKeyUsage=clientAuth
  key "$dir/pki/service-accounts.key"
  openssl pkey -in "$dir/pki/service-accounts.key" -pubout -out "$dir/pki/service-accounts.pub"
  touch "$dir/pki/done"
}

write_kubeconfig() { # FILE CERTIFICATE PORT
  cat >"$1.new" <<YAML
apiVersion: v1
kind: Config
clusters:
- name: control-plane
  cluster:
    server: https://127.0.0.1:$3
    certificate-authority-data: $(base64 -w0 <"$dir/pki/ca.crt")
users:
- name: $2
  user:
    client-certificate-data: $(base64 -w0 <"$dir/pki/$2.crt")
    client-key-data: $(base64 -w0 <"$dir/pki/$2.key")
contexts:
- name: control-plane
  context: {cluster: control-plane, user: $2}
current-context: control-plane
YAML
  mv -f "$1.new" "$1"
}
