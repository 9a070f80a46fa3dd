#!/bin/sh
# Installs raresync from the unpacked archive that this file lies in, on machines
# without a package manager's help. It downloads nothing.
#
#	./install.sh            install, or upgrade: a running service is started anew
#	./install.sh --remove   remove the program and the unit; data and keys stay
set -eu
here=$(cd "$(dirname "$0")" && pwd)
unit=/etc/systemd/system/raresync.service

refuse() {
	echo "install.sh: $*" >&2
	exit 1
}

[ "$(id -u)" -eq 0 ] || refuse "run it as root"
if [ "${1-}" = --remove ]; then
	if [ -d /run/systemd/system ] && [ -e "$unit" ]; then
		systemctl disable --now raresync
	fi
	rm -f "$unit" /usr/bin/raresync /usr/sbin/raresync-setup
	if [ -d /run/systemd/system ]; then
		systemctl daemon-reload
	fi
	echo "raresync is removed; /var/lib/raresync and /etc/raresync, data and keys, stay"
	exit
fi
[ $# -eq 0 ] || refuse "I know --remove and nothing else"
[ "$(uname -s)" = Linux ] || refuse "raresync runs on Linux; this is $(uname -s)"
case $(uname -m) in
x86_64 | aarch64) ;;
*) refuse "raresync is built for x86_64 and aarch64; this machine is $(uname -m)" ;;
esac
"$here/raresync" version >/dev/null || refuse "$here/raresync does not run here: is this the archive for $(uname -m)?"

# As one file in place of the other: a daemon that runs keeps the old one.
put() {
	install -m "$1" "$2" "$3.new"
	mv "$3.new" "$3"
}
put 755 "$here/raresync" /usr/bin/raresync
put 755 "$here/raresync-setup" /usr/sbin/raresync-setup
put 644 "$here/raresync.service" "$unit"
/usr/sbin/raresync-setup user
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	systemctl try-restart raresync
fi
raresync version
echo "next: raresync-setup join TOKEN --id NAME ..., with the token from a member of the network"
