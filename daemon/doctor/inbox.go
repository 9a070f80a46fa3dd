package doctor

import (
	"os"
	"path/filepath"
)

// inbox examines the folder that files are dropped into, where one is configured.
func (r *report) inbox() {
	dir := r.Config.Inbox.Dir
	if dir == "" {
		return
	}
	fix := say("mount the share, or make the folder; then chown it to the daemon's user: see The inbox in OPERATIONS.md",
		"请挂载共享或新建该文件夹，并将其属主设为服务的用户：见 OPERATIONS.md“The inbox”")
	for _, folder := range []string{dir, filepath.Join(dir, "new"), filepath.Join(dir, "done")} {
		info, err := os.Stat(folder)
		if err == nil && info.IsDir() && mayUse(folder) {
			continue
		}
		if folder != dir && os.IsNotExist(err) { // the daemon makes it
			continue
		}
		r.add(Failure, "inbox", say("this user may not read and write the folder %s, or there is none", "文件夹 %s 不存在，或当前用户无权读写", folder), fix)
		return
	}
	if info, err := os.Stat(filepath.Join(dir, "new")); err == nil && info.Mode().Perm()&0o002 != 0 {
		r.add(Warning, "inbox", say("everybody on this machine may drop files into %s, and submits in the hospital's name", "本机任何用户都可以向 %s 投放文件，并以本院名义上报", dir),
			say("chmod o-rwx %[1]s/new, and give it to a group with the clerks in it", "执行 chmod o-rwx %[1]s/new，并将其交给登记员所在的组", dir))
		return
	}
	r.good("inbox", "files dropped into %s are taken", "投放到 %s 的文件会被收取", dir)
}
