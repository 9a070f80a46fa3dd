#!/bin/sh
# Boots systemd as process 1 of namespaces of its own, over a copy of the files of a
# system that is gone at the end: with the unit of a node and nothing else, or with
# what that system has of its own.
#
# boot.sh outer DIR SYSTEM [PROGRAM UNIT NODE], in a mount namespace: DIR is empty; NODE is the node's directory.
set -eu
stage=$1 dir=$2 system=$3 program=${4-} unit=${5-} node=${6-}

case $stage in
outer) # a control group of its own in every hierarchy, so that nothing of this machine's is touched
	[ -z "$unit" ] || unit=$(realpath "$unit")
	mkdir "$dir/cgroup"
	mount --make-rprivate /
	mount -t cgroup -o none,name=systemd cgroup "$dir/cgroup"
	for top in "$dir/cgroup" /sys/fs/cgroup /sys/fs/cgroup/*; do
		if [ -e "$top/cgroup.procs" ] && mkdir "$top/raresync-$$" 2>/dev/null; then
			echo $$ >"$top/raresync-$$/cgroup.procs" || rmdir "$top/raresync-$$"
		fi
	done
	unshare -mpuiC --fork --kill-child "$0" inner "$dir" "$system" ${program:+"$program" "$unit" "$node"} || true
	for top in "$dir/cgroup" /sys/fs/cgroup /sys/fs/cgroup/*; do
		if [ -d "$top/raresync-$$" ]; then
			echo $$ >"$top/cgroup.procs"
			find "$top/raresync-$$" -depth -type d -exec rmdir {} +
		fi
	done
	exit
	;;
esac

mount --make-rprivate /
mount -t tmpfs tmpfs "$dir"
mkdir "$dir/upper" "$dir/work" "$dir/root" "$dir/node"
if [ -n "$program" ]; then
	cp -a "$node/." "$dir/node"
	cp "$program" "$dir/raresync"
	cp "$unit" "$dir/unit"
	node=$dir/node program=$dir/raresync unit=$dir/unit
fi
mount -t overlay overlay -o "lowerdir=$system,upperdir=$dir/upper,workdir=$dir/work" "$dir/root"
cd "$dir/root"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mount -t tmpfs tmpfs dev
for d in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0; do
	mknod -m 666 "dev/${d%%:*}" c "$(echo "$d" | cut -d: -f2)" "${d##*:}"
done
mkdir dev/shm dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mount -t tmpfs tmpfs sys/fs/cgroup
mkdir sys/fs/cgroup/systemd
mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd

# The node, as docs/OPERATIONS.md has it: "As a service".
install_node() {
	cp "$program" usr/bin/raresync
	rm -rf etc/systemd/system/* var/lib/raresync
	cp "$unit" etc/systemd/system/raresync.service
	chroot . useradd --system --home-dir /var/lib/raresync --shell /usr/sbin/nologin raresync
	cp -a "$node" var/lib/raresync
	mkdir -p etc/raresync/credentials
	mv var/lib/raresync/file.key etc/raresync/credentials/
	sed -i 's|^#key = "file.key"|key = "credential:file.key"|' var/lib/raresync/raresync.toml
	chown -R root:root etc/raresync
	chmod 700 etc/raresync/credentials
	chroot . chown -R raresync:raresync /var/lib/raresync
}
[ -z "$program" ] || install_node
printf '[Unit]\nDescription=Nothing but this\n' >etc/systemd/system/alone.target

mkdir old
pivot_root . old
cd /
umount -l /old
mount --make-rshared / # as systemd does outside of containers; credentials want it
exec env -i container=lxc PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --unit=alone.target --log-target=journal --show-status=0
