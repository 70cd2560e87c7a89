#!/bin/sh
# Point-in-time recovery of a PostgreSQL database of Guohe.
#
#   pitr.sh archive PATH NAME     keep a piece of the log (postgresql.conf: archive_command = 'pitr.sh archive %p %f')
#   pitr.sh base                  copy the whole cluster, daily from cron; PGHOST, PGUSER, … say which
#   pitr.sh restore TIME FOLDER   make a data folder as things stood at TIME ('2026-05-03 12:00:00+08'); start a server on it
#
# GUOHE_PITR is the folder of the copies: not on the database's disk.
set -eu
: "${GUOHE_PITR:?say in GUOHE_PITR where the copies are}"
mkdir -p "$GUOHE_PITR/wal" "$GUOHE_PITR/base"

case "${1:-}" in
archive)
    # A piece that is there already must not be overwritten: two servers would be writing into one archive.
    if [ -e "$GUOHE_PITR/wal/$3" ]; then cmp -s "$2" "$GUOHE_PITR/wal/$3"; exit; fi
    cp "$2" "$GUOHE_PITR/wal/.$3.part"
    sync "$GUOHE_PITR/wal/.$3.part"
    mv "$GUOHE_PITR/wal/.$3.part" "$GUOHE_PITR/wal/$3"
    ;;
base)
    # Named by the moment at which the copy is whole: only later moments can be restored from it.
    pg_basebackup -D "$GUOHE_PITR/base/.part" -X fetch --checkpoint=fast
    mv "$GUOHE_PITR/base/.part" "$GUOHE_PITR/base/$(date -u +%s)"
    ;;
restore)
    when=$(date -d "$2" +%s)
    chosen=""
    for copy in "$GUOHE_PITR"/base/[0-9]*; do
        [ -d "$copy" ] && [ "${copy##*/}" -le "$when" ] && chosen=$copy
    done
    [ -n "$chosen" ] || { echo "没有早于 $2 的完整副本 / no copy is older than $2" >&2; exit 1; }
    [ ! -e "$3" ] || { echo "$3 已存在 / is there already" >&2; exit 1; }
    cp -Rp "$chosen" "$3"
    chmod 700 "$3"
    rm -f "$3/postmaster.pid"
    touch "$3/recovery.signal"
    cat >> "$3/postgresql.auto.conf" <<CONF
restore_command = 'cp "$GUOHE_PITR/wal/%f" "%p"'
recovery_target_time = '$2'
recovery_target_action = 'promote'
archive_mode = 'off'
CONF
    echo "$chosen → $3，请启动服务器 / start a server on it"
    ;;
*)
    sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
