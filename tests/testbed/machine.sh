#!/bin/sh
# A machine within this one: systemd as process 1, in namespaces of its own, over a copy of this
# machine's files that is forgotten at the end. The network is shared. Called by machine.py:
#
#   machine.sh FOLDERS GROUP          outside: a control group, then the namespaces
#   machine.sh FOLDERS GROUP inside   in them: the files, then systemd
#   machine.sh FOLDERS GROUP gone     afterwards: the control group is removed
#
# FOLDERS, the checkout and the state folder with a colon between, are seen inside as they are, wherever
# they lie: programs, sockets, logs.
set -eu
folders=$1
group=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)/$2

case "${3:-}" in
    gone)
        find "$group" -depth -type d -exec rmdir {} \;
        exit ;;
    '')
        mkdir -p "$group"
        echo $$ > "$group/cgroup.procs"
        exec unshare --mount --pid --fork --kill-child --ipc --uts --cgroup sh "$0" "$folders" "$2" inside ;;
esac

mount --make-rprivate /
below=/mnt
mount -t tmpfs tmpfs $below
mkdir "$below/upper" "$below/work" "$below/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$below/upper,workdir=$below/work" "$below/root"
cd "$below/root"
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs run
IFS=:
for folder in $folders; do
    mkdir -p ".$folder"
    mount --rbind "$folder" ".$folder"
done
unset IFS

mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs dev
for device in null zero full random urandom tty; do
    touch dev/$device
    mount --bind /dev/$device dev/$device
done
ln -s /proc/self/fd dev/fd
mkdir dev/shm dev/pts
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs -o mode=1777 tmpfs dev/shm

# nothing of this machine's own services
rm -rf etc/systemd/system
mkdir etc/systemd/system
: > etc/machine-id
printf '[Unit]\nDescription=nothing but what the test starts\n' > etc/systemd/system/empty.target

mkdir -p mnt/outside
pivot_root . mnt/outside
umount -l /mnt/outside
exec env -i container=oe-testbed PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --unit=empty.target </dev/null
