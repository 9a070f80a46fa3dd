#!/bin/sh
# Builds what is handed to hospitals, into the folder OUT: for linux/amd64 and
# linux/arm64 an archive with install.sh, a .deb and, where rpmbuild is, an .rpm;
# the source with all it is compiled from; and SHA256SUMS over all of them. The same
# commit gives the same bytes on any machine with the same Go.
#
#	build.sh VERSION OUT
set -eu
umask 022
version=$1
mkdir -p "$2"
out=$(cd "$2" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$top" log -1 --format=%ct)}
export SOURCE_DATE_EPOCH CGO_ENABLED=0 GOFLAGS=-trimpath LC_ALL=C TZ=UTC
# A number that package managers sort: of v1.2.3-4-gabc 1.2.3+4.gabc, of a commit
# before the first tag 0~ and how many there are.
number=$(printf '%s' "${version#v}" | sed 's/-/+/; s/-/./g')
case $version in v[0-9]*) ;; *) number=0~$(git -C "$top" rev-list --count HEAD).$number ;; esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# archive packs a folder of work: the same bytes for the same files.
archive() {
	tar -C "$work" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner -cf - "$1" | gzip -9n >"$out/$1.tar.gz"
}

# documents copies what a person reads on the machine.
documents() {
	mkdir -p "$1/docs"
	cp "$top"/README.md "$top"/README.zh-CN.md "$top"/CHANGELOG.md "$top"/LICENSE "$top"/NOTICE "$1"
	cp "$top"/configs/raresync.toml "$top"/configs/alerts.yml "$top"/configs/raresync-older.conf "$1"
	cp -r "$top"/docs/*.md "$1/docs"
}

# tree lays the files out as they lie on a machine.
tree() {
	install -D -m 755 "$work/raresync-$2" "$1/usr/bin/raresync"
	install -D -m 755 "$here/raresync-setup" "$1/usr/sbin/raresync-setup"
	install -D -m 644 "$top/configs/raresync.service" "$1/usr/lib/systemd/system/raresync.service"
	documents "$1/usr/share/doc/raresync"
	find "$1" -exec touch -hd "@$SOURCE_DATE_EPOCH" {} +
}

# The program is compiled from what the source archive holds, with no network: whoever
# has that archive can do the same, and gets the same bytes.
source=raresync-$version-source
mkdir "$work/$source"
git -C "$top" archive HEAD | tar -C "$work/$source" -xf -
go -C "$work/$source" mod vendor
archive "$source"

for arch in amd64 arm64; do
	GOOS=linux GOARCH=$arch go build -C "$work/$source" -mod=vendor -buildvcs=false -ldflags "-X main.version=$version" -o "$work/raresync-$arch" ./cmd/raresync

	name=raresync-$version-linux-$arch
	documents "$work/$name"
	install -m 755 "$work/raresync-$arch" "$work/$name/raresync"
	install -m 755 "$here/install.sh" "$here/raresync-setup" "$work/$name"
	install -m 644 "$top/configs/raresync.service" "$work/$name"
	archive "$name"

	tree "$work/deb-$arch" "$arch"
	mkdir "$work/deb-$arch/DEBIAN"
	size=$(du -sk --apparent-size "$work/deb-$arch" | cut -f1)
	sed "s/@VERSION@/$number/; s/@ARCH@/$arch/; s/@SIZE@/$size/" "$here/control" >"$work/deb-$arch/DEBIAN/control"
	install -m 755 "$here/postinst" "$here/prerm" "$here/postrm" "$work/deb-$arch/DEBIAN"
	dpkg-deb -Zgzip --root-owner-group --build "$work/deb-$arch" "$out/raresync_${number}_$arch.deb" >/dev/null

	command -v rpmbuild >/dev/null || { echo "no .rpm for $arch: rpmbuild is missing" >&2; continue; }
	case $arch in amd64) target=x86_64 ;; arm64) target=aarch64 ;; esac
	tree "$work/rpm-$arch" "$arch"
	rpmbuild -bb --quiet --target "$target" --buildroot "$work/root-$arch" \
		--define "_topdir $work/top-$arch" --define "_rpmdir $out" --define "_dbpath $work/db" --define '_build_name_fmt %%{NAME}-%%{VERSION}.%%{ARCH}.rpm' \
		--define "tree $work/rpm-$arch" --define "number $number" "$here/raresync.spec" >/dev/null
done

cd "$out"
sha256sum raresync*"$version"*.tar.gz raresync*"$number"*.deb $(ls raresync*"$number"*.rpm 2>/dev/null) >SHA256SUMS
cat SHA256SUMS
