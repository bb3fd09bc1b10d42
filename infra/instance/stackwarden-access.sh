#!/bin/sh
# Stackwarden on a Linux server: who may log in by SSH, and who may sudo, is asked of the service with the instance's own credentials.
# POSIX sh, curl 7.75 or newer, OpenSSH 7.4 or newer. Nothing that comes from the network is used before it is held to a pattern.
set -uf
PATH=/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
unset IFS
umask 077

USAGE="usage: stackwarden-access [--config <file>] <command>

  install --url <url> --region <region> --stack <stack id> [--cache-seconds <n>] [--remove-after-days <n>]
                  sets this server up: sshd asks here, accounts follow every 30 seconds
  sync            creates, locks, unlocks and removes accounts, and writes the sudoers file
  keys <user>     prints the user's key now; sshd runs it at each login
  status          prints what is set up, and who has an account
  uninstall       takes the set-up away and locks the accounts; they and their homes stay
  --help          prints this"

CONFIG=/etc/stackwarden/access.conf
PROGRAM=/usr/local/sbin/stackwarden-access
SSHD_CONFIG=/etc/ssh/sshd_config
SSHD_PART=/etc/ssh/sshd_config.d/10-stackwarden.conf
UNITS=/etc/systemd/system
CRON=/etc/cron.d/stackwarden-access
NOLOGIN=/usr/sbin/nologin
TAB=$(printf '\t')

log() {
  logger -t stackwarden-access -p auth.notice -- "$*" 2>/dev/null
  printf 'stackwarden-access: %s\n' "$*" >&2
}

fail() {
  log "$*"
  exit 1
}

must_be_root() {
  [ "$(id -u)" = 0 ] || fail "must be run as root"
}

# ---- what is set up

# Reads the configuration as text; it is never run.
configure() {
  URL='' REGION='' STACK='' CACHE_SECONDS=0 REMOVE_AFTER_DAYS=30
  IMDS=http://169.254.169.254
  STATE=/var/lib/stackwarden
  SUDOERS=/etc/sudoers.d/stackwarden
  GROUP=stackwarden
  [ -r "$CONFIG" ] || fail "$CONFIG cannot be read: run install first"
  while IFS='=' read -r name value; do
    case $name in
      URL) URL=$value ;;
      REGION) REGION=$value ;;
      STACK) STACK=$value ;;
      CACHE_SECONDS) CACHE_SECONDS=$value ;;
      REMOVE_AFTER_DAYS) REMOVE_AFTER_DAYS=$value ;;
      IMDS) IMDS=$value ;;
      STATE) STATE=$value ;;
      SUDOERS) SUDOERS=$value ;;
      GROUP) GROUP=$value ;;
      '' | '#'*) ;;
      *) fail "$CONFIG: \`$name\` is not known" ;;
    esac
  done <"$CONFIG"
  check_configuration
  CACHE=$STATE/users
  # Another deployment gives the same ids to other people, and a server's image may come from one of its servers.
  deployment=${URL#*://}
  MARK="Stackwarden ${deployment%%[:/]*}"
}

check_configuration() {
  case $URL in
    *[!A-Za-z0-9.:/_-]*) fail "URL has characters that no URL of the service has" ;;
    https://?* | http://127.0.0.1:*) ;;
    *) fail "URL must be https://..." ;;
  esac
  case $REGION in '' | *[!a-z0-9-]*) fail "REGION must be a region's name" ;; esac
  case $STACK in '' | *[!0-9a-f-]*) fail "STACK must be a stack's id" ;; esac
  case $CACHE_SECONDS in '' | *[!0-9]* | ??????*) fail "CACHE_SECONDS must be a number of seconds up to 99999" ;; esac
  case $REMOVE_AFTER_DAYS in '' | *[!0-9]* | ?????*) fail "REMOVE_AFTER_DAYS must be a number of days up to 9999" ;; esac
  case $IMDS in *[!A-Za-z0-9.:/]*) fail "IMDS must be a URL" ;; esac
  valid_name "$GROUP" || fail "GROUP must be a group's name"
}

# ---- what may come from the network

valid_name() {
  case $1 in '' | *[!A-Za-z0-9_-]* | [!A-Za-z_]*) return 1 ;; esac
  [ "${#1}" -le 32 ]
}

valid_id() {
  case $1 in [23][0-9][0-9][0-9] | 4000) return 0 ;; *) return 1 ;; esac
}

# Type and base64 with one blank between, and nothing else.
valid_key() {
  case $1 in
    'ssh-ed25519 '* | 'ssh-rsa '* | 'ecdsa-sha2-nistp256 '* | 'ecdsa-sha2-nistp384 '* | 'ecdsa-sha2-nistp521 '*) ;;
    *) return 1 ;;
  esac
  blob=${1#* }
  case ${blob%%=*} in '' | *[!A-Za-z0-9+/]*) return 1 ;; esac
  case $blob in *=*) case =${blob#*=} in = | ==) ;; *) return 1 ;; esac ;; esac
}

# Passes the lines that are right in every field, each name and each id once; the others are named nowhere, since they may be anything.
valid_lines() {
  seen=' '
  while IFS="$TAB" read -r name id sudo key rest; do
    if valid_name "$name" && valid_id "$id" && { [ "$sudo" = 0 ] || [ "$sudo" = 1 ]; } &&
      { [ -z "$key" ] || valid_key "$key"; } && [ -z "$rest" ]; then
      case $seen in *" $name "* | *" $id "*)
        log "a line of the feed repeats a name or an id, and is left out"
        continue
        ;;
      esac
      seen="$seen$name $id "
      # All of them or none: half of a feed would lock the others.
      printf '%s\t%s\t%s\t%s\n' "$name" "$id" "$sudo" "$key" || return 1
    else
      log "a line of the feed is not what it must be, and is left out"
    fi
  done
  return 0
}

valid_secret() {
  case $1 in '' | *[!A-Za-z0-9/+=_-]*) return 1 ;; esac
}

# ---- asking

imds() {
  printf 'header = "X-aws-ec2-metadata-token: %s"\n' "$token" |
    curl -q -sf -K - -m 2 --noproxy '*' "$IMDS/latest/$1"
}

text_member() {
  sed -n 's/.*"'"$1"'"[[:space:]]*:[[:space:]]*"\([^"]*\)".*/\1/p'
}

# Credentials never stand on a command line, where every process of the server could read them.
read_credentials() {
  token=$(curl -q -sf -X PUT -m 2 --noproxy '*' -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$IMDS/latest/api/token") || return 1
  valid_secret "$token" || return 1
  role=$(imds meta-data/iam/security-credentials/) || return 1
  case $role in '' | *[!A-Za-z0-9+=,.@_-]*) return 1 ;; esac
  credentials=$(imds "meta-data/iam/security-credentials/$role") || return 1
  access_key=$(printf '%s\n' "$credentials" | text_member AccessKeyId)
  secret_key=$(printf '%s\n' "$credentials" | text_member SecretAccessKey)
  session_token=$(printf '%s\n' "$credentials" | text_member Token)
  valid_secret "$access_key" && valid_secret "$secret_key" && valid_secret "$session_token"
}

# Asks the service. 0: $WORK/lines has the users; 1: it could not be asked, and $why says why; 2: it refused.
ask() {
  why="there are no credentials of an instance profile"
  read_credentials || return 1
  case $known in '' | *[!A-Za-z0-9_-]*) condition='' ;; *) condition=",\"IfNoneMatch\":\"$known\"" ;; esac
  # The service answers a nonce once, so that nobody gets anything by sending a captured request again.
  nonce=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf '{"StackId":"%s","Nonce":"%s","Format":"Lines"%s}' "$STACK" "$nonce" "$condition" >"$WORK/question"
  why="the service cannot be reached"
  status=$(
    {
      printf 'aws-sigv4 = "aws:amz:%s:execute-api"\n' "$REGION"
      printf 'user = "%s:%s"\n' "$access_key" "$secret_key"
      printf 'header = "x-amz-security-token: %s"\n' "$session_token"
      printf 'header = "content-type: application/json"\n'
      printf 'data-binary = "@%s"\n' "$WORK/question"
    } | curl -q -s -K - -m 5 --connect-timeout 3 --max-filesize 4000000 -o "$WORK/answer" -w '%{http_code}' \
      "$URL/DescribeInstanceAccess"
  ) || return 1
  why="the service answers HTTP $status: $(head -c 300 "$WORK/answer" | tr -cd '[:alnum:][:blank:]:/._-')"
  case $status in
    200) ;;
    403)
      # Stackwarden's own word alone: API Gateway refuses for a wrong clock or a policy that is gone, too, and knows nothing of the users.
      grep -q '^{"__type":"AccessDeniedException",' "$WORK/answer" && return 2
      return 1
      ;;
    *) return 1 ;;
  esac
  why="the service's answer is none, or has no room here"
  read_answer
}

read_answer() {
  tag=$(sed -n 's/.*"ETag":"\([A-Za-z0-9_-]\{1,64\}\)"}$/\1/p' "$WORK/answer")
  [ -n "$tag" ] || return 1
  case $(head -c 64 "$WORK/answer") in
    '{"NotModified":true,'*)
      [ "$tag" = "$known" ] || return 1
      mv "$WORK/known" "$WORK/lines"
      ;;
    '{"Lines":"'*)
      # Nothing but text without quotes and escapes, apart from line ends and tabs; else it is no answer.
      grep -q '^{"Lines":"[^"\\]*\(\\[nt][^"\\]*\)*","ETag":"[A-Za-z0-9_-]*"}$' "$WORK/answer" || return 1
      sed -n 's/^{"Lines":"\([^"]*\)","ETag":"[A-Za-z0-9_-]*"}$/\1/p' "$WORK/answer" |
        awk '{ gsub(/\\n/, "\n"); gsub(/\\t/, "\t"); printf "%s", $0 }' | valid_lines >"$WORK/lines"
      ;;
    *) return 1 ;;
  esac
}

sum_of() {
  cksum <"$1" | tr ' ' -
}

# What was kept of the last answer, once and for all: $WORK/known has the users, $known the tag. Nothing where it is not whole, as after a crash.
read_cache() {
  known='' kept_at=''
  [ -r "$CACHE" ] && cp "$CACHE" "$WORK/kept" && read -r at kept_tag sum <"$WORK/kept" && sed 1d "$WORK/kept" >"$WORK/known" || return 1
  [ "$(sum_of "$WORK/known")" = "$sum" ] || return 1
  known=$kept_tag kept_at=$at
}

write_cache() {
  { printf '%s %s %s\n' "$1" "$tag" "$(sum_of "$WORK/lines")" && cat "$WORK/lines"; } >"$CACHE.new" && mv "$CACHE.new" "$CACHE"
}

# Asks; what was refused is kept no longer. Answers as `ask` does.
refresh() {
  mkdir -p "$STATE"
  # In memory where there is such a folder, so that a full disk keeps nobody out.
  WORK=$(mktemp -d /run/stackwarden.XXXXXX 2>/dev/null || mktemp -d) || fail "no room for a temporary folder"
  trap 'rm -rf "$WORK"' EXIT
  trap 'exit 1' HUP INT TERM
  read_cache
  ask
  answered=$?
  if [ $answered = 2 ]; then
    log "refused: $why"
    rm -f "$CACHE"
    : >"$WORK/lines"
  fi
  return $answered
}

# Whether what was kept may still be gone by.
cache_is_young() {
  [ "$CACHE_SECONDS" -gt 0 ] || return 1
  case $kept_at in '' | *[!0-9]*) return 1 ;; esac
  age=$(($(date +%s) - kept_at))
  [ "$age" -ge 0 ] && [ "$age" -lt "$CACHE_SECONDS" ]
}

# ---- accounts

# The accounts that were made here: in the range of ids, and of the group.
read_account() {
  account=$(getent passwd "$1") || return 1
  IFS=: read -r account_name _ account_id account_group account_mark account_home account_shell <<END
$account
END
}

is_ours() {
  [ -n "$own_group" ] && [ "$account_group" = "$own_group" ] && valid_id "$account_id"
}

read_own_group() {
  own_group=$(getent group "$GROUP" | cut -d: -f3)
}

# Expired since the day before yesterday, which is past in every time zone, and says when it was locked.
lock() {
  usermod -L -e "$(($(today) - 2))" -s "$NOLOGIN" "$1" </dev/null && log "locked $1"
}

today() {
  echo "$(($(date +%s) / 86400))"
}

# An account that has been locked for long; not while something of its user still runs. The home stays, under an id that nobody else is given.
remove_if_old() {
  expired=$(getent shadow "$1" | cut -d: -f8)
  case $expired in '' | *[!0-9]*) return 0 ;; esac
  [ "$(($(today) - 2 - expired))" -lt "$REMOVE_AFTER_DAYS" ] || { userdel "$1" >/dev/null 2>&1 </dev/null && log "removed $1; the home stays"; }
}

unlock() {
  usermod -p '*' -e '' -s "$login_shell" "$1" </dev/null && log "unlocked $1"
}

make_account() {
  made=$1 id=$2
  home=$(useradd -D | sed -n 's/^HOME=//p')/$made
  # A home of somebody else's, who had the name before, stays theirs.
  [ ! -e "$home" ] || [ -n "$(find "$home" -prune -user "$id")" ] || home=$home-$id
  set -- -u "$id" -g "$GROUP" -N -m -d "$home" -s "$login_shell" -c "$MARK" "$made"
  # Debian takes a name with a capital letter only when told so.
  useradd "$@" 2>/dev/null </dev/null || useradd --badname "$@" </dev/null || return 1
  # All of them have one group, so what a home gives to its group it would give to everybody.
  find "$home" -prune -type d -user "$id" -exec chmod 0700 {} +
  usermod -p '*' "$made" </dev/null && log "made $made"
}

# Gives an account another name, its home with it.
rename_account() {
  renamed=$1 to=$2
  set -- -l "$to" -d "${account_home%/*}/$to" -m "$renamed"
  usermod "$@" 2>/dev/null </dev/null || usermod --badname "$@" </dev/null || return 1
  log "renamed $renamed to $to"
}

# The account of a user of the feed. Fails where the name or the id is somebody else's.
ensure_account() {
  if read_account "$1"; then
    is_ours || { log "$1 is an account of this server, and is left alone" && return 1; }
    # Somebody who had the name before; what was theirs stays theirs.
    if [ "$account_id" != "$2" ]; then
      lock "$1"
      rename_account "$1" "$GROUP-$account_id" || { log "$1 is still in use by who had the name before" && return 1; }
    fi
  fi
  if read_account "$2" && [ "$account_name" != "$1" ]; then
    is_ours || { log "the id $2 is an account of this server, and is left alone" && return 1; }
    [ "$account_mark" = "$MARK" ] ||
      { log "the id $2 is $account_name's, an account of another deployment: remove it and its home to let $1 in" && return 1; }
    rename_account "$account_name" "$1" || return 1
  fi
  read_account "$1" || { make_account "$1" "$2" && read_account "$1"; } || return 1
  is_ours && [ "$account_id" = "$2" ] || return 1
  [ "$account_shell" != "$NOLOGIN" ] || unlock "$1"
}

# By the id, which no alias and no word of a sudoers file can be.
write_sudoers() {
  if ! command -v visudo >/dev/null; then
    [ ! -s "$WORK/sudo" ] || log "sudo is not installed, so nobody gets it"
    return 0
  fi
  # sudo reads no file with a dot in its name.
  new=$SUDOERS.new.$$
  {
    printf '# Written by stackwarden-access; changes are lost.\n' &&
      awk -F "$TAB" '{ printf "#%s ALL=(ALL) NOPASSWD:ALL # %s\n", $2, $1 }' "$WORK/sudo"
  } >"$new" || { rm -f "$new" && log "no room for the sudoers file, which stays as it was" && return 1; }
  chmod 0440 "$new"
  # What watches over /etc is told of changes alone.
  if [ -e "$SUDOERS" ] && [ "$(sum_of "$new")" = "$(sum_of "$SUDOERS")" ]; then
    rm -f "$new"
    chmod 0440 "$SUDOERS"
  elif visudo -cqf "$new" >/dev/null 2>&1; then
    mv "$new" "$SUDOERS"
  else
    rm -f "$new" "$SUDOERS"
    log "visudo refuses the sudoers file, so nobody gets sudo"
    return 1
  fi
}

sync() {
  must_be_root
  mkdir -p "$STATE"
  if command -v flock >/dev/null; then
    exec 9>"$STATE/lock"
    flock -n 9 || return 0
  fi
  asked_at=$(date +%s)
  refresh
  answered=$?
  [ $answered != 1 ] || fail "$why; accounts and sudo stay as they are"
  # Here alone, behind the lock: a login that was asked about before would put an older answer in place of a newer one.
  [ $answered = 2 ] || write_cache "$asked_at" || log "no room for the cache"
  getent group "$GROUP" >/dev/null || groupadd -r "$GROUP" || fail "the group $GROUP cannot be made"
  read_own_group
  login_shell=/bin/bash
  [ -x "$login_shell" ] || login_shell=/bin/sh
  [ -x "$NOLOGIN" ] || NOLOGIN=/sbin/nologin
  there=' '
  : >"$WORK/sudo"
  while IFS="$TAB" read -r name id sudo _; do
    ensure_account "$name" "$id" || continue
    there="$there$id "
    [ "$sudo" = 0 ] || printf '%s\t%s\n' "$name" "$id" >>"$WORK/sudo" || fail "no room; sudo stays as it was"
  done <"$WORK/lines"
  # Sudo first: whoever is locked is not to keep it for a moment.
  write_sudoers
  sudo_written=$?
  while IFS=: read -r account_name _ account_id account_group account_mark _ account_shell; do
    is_ours || continue
    case $there in *" $account_id "*) continue ;; esac
    if [ "$account_shell" != "$NOLOGIN" ]; then
      lock "$account_name"
    elif [ "$account_mark" = "$MARK" ]; then
      remove_if_old "$account_name"
    fi
  done </etc/passwd
  return $sudo_written
}

# For sshd. An account that was not made here is none of ours: it is answered at once, whatever becomes of the service.
print_key() {
  valid_name "$1" || return 0
  read_own_group
  read_account "$1" && is_ours || return 0
  refresh 2>/dev/null
  if [ $? = 1 ]; then
    cache_is_young || return 0
    mv "$WORK/known" "$WORK/lines"
  fi
  while IFS="$TAB" read -r name id _ key; do
    if [ "$name" = "$1" ] && [ "$id" = "$account_id" ] && [ -n "$key" ]; then printf '%s\n' "$key"; fi
  done <"$WORK/lines"
}

# ---- setting up

sshd_part() {
  cat <<END
# Written by stackwarden-access. It is about the accounts that it makes, and about nobody else.
Match Group $GROUP
  AuthorizedKeysCommand $PROGRAM keys %u
  AuthorizedKeysCommandUser root
  AuthorizedKeysFile none
  TrustedUserCAKeys none
  AuthenticationMethods publickey
Match all
END
}

reload_sshd() {
  systemctl reload sshd 2>/dev/null || systemctl reload ssh 2>/dev/null || service ssh reload >/dev/null 2>&1 ||
    service sshd reload >/dev/null 2>&1 || log "reload sshd by hand"
}

# sshd reads the folder where its configuration says so; elsewhere the part stands at the end of it, between two marks.
write_sshd_part() {
  remove_sshd_part
  if grep -Eqi '^[[:space:]]*Include[[:space:]]+("?/etc/ssh/)?sshd_config\.d/' "$SSHD_CONFIG"; then
    sshd_part >"$SSHD_PART" && sshd -t && return 0
  else
    # awk ends the last line, where the file does not.
    { awk 1 "$SSHD_CONFIG" && printf '# BEGIN stackwarden-access\n' && sshd_part && printf '# END stackwarden-access\n'; } |
      replace_sshd_config && return 0
  fi
  remove_sshd_part
  fail "sshd refuses the configuration, so it is as it was"
}

# A configuration that sshd does not take is never in place, not for a moment: it could be what the next restart finds.
replace_sshd_config() {
  cp -p "$SSHD_CONFIG" "$SSHD_CONFIG.new.$$" && cat >"$SSHD_CONFIG.new.$$" && sshd -t -f "$SSHD_CONFIG.new.$$" &&
    mv "$SSHD_CONFIG.new.$$" "$SSHD_CONFIG" && return 0
  rm -f "$SSHD_CONFIG.new.$$"
  return 1
}

remove_sshd_part() {
  rm -f "$SSHD_PART"
  grep -q '^# BEGIN stackwarden-access$' "$SSHD_CONFIG" || return 0
  sed '/^# BEGIN stackwarden-access$/,/^# END stackwarden-access$/d' "$SSHD_CONFIG" | replace_sshd_config
}

# sshd runs nothing below a folder that others may write to, which would keep everybody out.
check_place() {
  place=${PROGRAM%/*}
  while :; do
    open=$(find "${place:-/}" -prune \( ! -user 0 -o -perm -020 -o -perm -002 \))
    [ -z "$open" ] || fail "sshd runs nothing below ${place:-/}, which others than root may write to: chown root, chmod go-w"
    [ -n "$place" ] || return 0
    place=${place%/*}
  done
}

start_timer() {
  if [ ! -d /run/systemd/system ]; then
    printf '* * * * * root %s sync >/dev/null 2>&1\n' "$PROGRAM" >"$CRON"
    chmod 0644 "$CRON"
    return 0
  fi
  cat >"$UNITS/stackwarden-access.service" <<END
[Unit]
Description=Accounts as Stackwarden has them
Wants=network-online.target
After=network-online.target
[Service]
Type=oneshot
# One that hangs must not keep the next from running.
TimeoutStartSec=600
ExecStart=$PROGRAM sync
END
  cat >"$UNITS/stackwarden-access.timer" <<END
[Unit]
Description=Accounts as Stackwarden has them, every 30 seconds
[Timer]
OnActiveSec=1
OnUnitInactiveSec=30
AccuracySec=1
[Install]
WantedBy=timers.target
END
  chmod 0644 "$UNITS/stackwarden-access.service" "$UNITS/stackwarden-access.timer"
  systemctl daemon-reload && systemctl enable -q --now stackwarden-access.timer
}

stop_timer() {
  rm -f "$CRON"
  [ -d /run/systemd/system ] || return 0
  systemctl disable -q --now stackwarden-access.timer 2>/dev/null
  rm -f "$UNITS/stackwarden-access.service" "$UNITS/stackwarden-access.timer"
  systemctl daemon-reload
}

install_here() {
  must_be_root
  url='' region='' stack='' cache_seconds=0 remove_after_days=30
  while [ $# -gt 1 ]; do
    case $1 in
      --url) url=$2 ;;
      --region) region=$2 ;;
      --stack) stack=$2 ;;
      --cache-seconds) cache_seconds=$2 ;;
      --remove-after-days) remove_after_days=$2 ;;
      *) fail "\`$1\` is not known; see --help" ;;
    esac
    shift 2
  done
  [ $# = 0 ] || fail "\`$1\` takes a value; see --help"
  curl --help all 2>/dev/null | grep -q -e --aws-sigv4 || fail "curl 7.75 or newer is needed"
  check_place
  mkdir -p "${CONFIG%/*}"
  printf 'URL=%s\nREGION=%s\nSTACK=%s\nCACHE_SECONDS=%s\nREMOVE_AFTER_DAYS=%s\n' "${url%/}" "$region" "$stack" "$cache_seconds" \
    "$remove_after_days" >"$CONFIG.new"
  final=$CONFIG CONFIG=$CONFIG.new
  configure
  CONFIG=$final
  mv "$CONFIG.new" "$CONFIG"
  [ "$0" = "$PROGRAM" ] || { cp "$0" "$PROGRAM.new" && chmod 0755 "$PROGRAM.new" && mv "$PROGRAM.new" "$PROGRAM"; } ||
    fail "$PROGRAM cannot be written"
  getent group "$GROUP" >/dev/null || groupadd -r "$GROUP" || fail "the group $GROUP cannot be made"
  write_sshd_part
  reload_sshd
  start_timer
  [ "$(getenforce 2>/dev/null)" != Enforcing ] || log "SELinux is enforcing: see that it lets sshd reach the network, or nobody gets in"
  "$PROGRAM" sync || log "the first sync failed; it is tried again"
}

uninstall_here() {
  must_be_root
  stop_timer
  read_own_group
  [ -x "$NOLOGIN" ] || NOLOGIN=/sbin/nologin
  while IFS=: read -r account_name _ account_id account_group _ _ account_shell; do
    is_ours && [ "$account_shell" != "$NOLOGIN" ] && lock "$account_name"
  done </etc/passwd
  rm -f "$SUDOERS"
  remove_sshd_part
  reload_sshd
  rm -rf "$STATE"
  rm -f "$CONFIG" "$PROGRAM"
}

print_status() {
  printf 'service: %s (%s), stack %s\n' "$URL" "$REGION" "$STACK"
  printf 'when it cannot be reached: %s\n' "$([ "$CACHE_SECONDS" = 0 ] && echo 'nobody gets in' || echo "as it was, for $CACHE_SECONDS seconds")"
  if [ -r "$CACHE" ] && read -r at _ <"$CACHE"; then
    printf 'last answer: %s seconds ago\n' "$(($(date +%s) - at))"
  else
    printf 'last answer: none, or a refusal\n'
  fi
  read_own_group
  while IFS=: read -r account_name _ account_id account_group _ _ account_shell; do
    is_ours || continue
    case $account_shell in */nologin) state=locked ;; *) state=open ;; esac
    grep -q "^#$account_id " "$SUDOERS" 2>/dev/null && state="$state, sudo"
    printf '%s (%s): %s\n' "$account_name" "$account_id" "$state"
  done </etc/passwd
}

if [ "${1-}" = --config ]; then
  [ $# -ge 2 ] || fail "--config takes a file"
  CONFIG=$2
  shift 2
fi
command=${1-}
[ $# = 0 ] || shift
case $command in
  install) install_here "$@" ;;
  sync) configure && sync ;;
  keys) configure && print_key "${1-}" ;;
  status) configure && print_status ;;
  uninstall) configure && uninstall_here ;;
  --help | -h | help) printf '%s\n' "$USAGE" ;;
  *)
    printf '%s\n' "$USAGE" >&2
    exit 2
    ;;
esac
