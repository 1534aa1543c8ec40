# A container engine with Compose v2 for the tests that need one. Sourced by run; what it started ends with the shell.

# Debian's own engine, and from its next release the Compose and buildx plugins. No package starts a service here.
install_engine() {
  local packages=() rule=/usr/sbin/policy-rc.d
  command -v dockerd >/dev/null || packages+=(docker.io iptables)
  command -v mmdebstrap >/dev/null || packages+=(mmdebstrap)
  if [ ${#packages[@]} -gt 0 ]; then
    [ -e $rule ] || { printf '#!/bin/sh\nexit 101\n' >$rule; chmod +x $rule; rule=+$rule; }
    local failed=
    { apt-get update -q && apt-get install -qy --no-install-recommends "${packages[@]}"; } || failed=1
    case $rule in +*) rm -f "${rule#+}" ;; esac
    [ -z "$failed" ] || return 1
  fi
  docker compose version >/dev/null 2>&1 && docker buildx version >/dev/null 2>&1 || install_plugins
}

install_plugins() {
  local work uri options package
  work=$(mktemp -d); chmod 755 "$work"
  uri=$(apt-get indextargets --format '$(REPO_URI)' | awk '/\/debian\/?$/ && !seen++')
  [ -n "$uri" ] || { echo "no Debian repository among this machine's: where are docker-compose and docker-buildx from?"; return 1; }
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri trixie main" >"$work/next.list"
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial" ~/.docker/cli-plugins
  options=(-q -o "Dir::Etc::sourcelist=$work/next.list" -o Dir::Etc::sourceparts=-
           -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache")
  ( cd "$work" && apt-get "${options[@]}" update && apt-get "${options[@]}" download docker-compose docker-buildx
    for package in *.deb; do dpkg -x "$package" unpacked; done
    cp unpacked/usr/libexec/docker/cli-plugins/* ~/.docker/cli-plugins/ )
  rm -rf "$work"
}

# The one that answers, else one of our own until the shell ends.
start_engine() {
  docker version >/dev/null 2>&1 && { echo "an engine answers already"; return; }
  mkdir -p build
  setpriv --pdeathsig TERM dockerd >build/dockerd.log 2>&1 &  # ends with this shell, even one that is killed
  ENGINE=$!
  trap 'kill $ENGINE; wait $ENGINE || true' EXIT
  for _ in $(seq 60); do
    docker version >/dev/null 2>&1 && { echo "started an engine, pid $ENGINE"; return; }
    kill -0 $ENGINE 2>/dev/null || break
    sleep 0.5
  done
  echo "no container engine could be started:"; tail -5 build/dockerd.log
  return 1
}
