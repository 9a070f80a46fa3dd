package doctor

import (
	"crypto/tls"
	"errors"
	"io/fs"
	"net"
	"os"
	"time"

	"github.com/raresync/raresync/crypto/password"
	"github.com/raresync/raresync/daemon/page"
	"github.com/raresync/raresync/daemon/site"
)

// endsSoon is how long before its end a certificate is told of.
const endsSoon = 30 * 24 * time.Hour

// page examines the web page's settings, where one is configured.
func (r *report) page() {
	p := r.Config.Page
	if p.Listen == "" {
		return
	}
	sound := true
	add := func(level Level, says, fix Text) {
		sound = false
		r.add(level, "page", says, fix)
	}
	if host, _, err := net.SplitHostPort(p.Listen); err == nil {
		if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
			add(Warning, say("the page listens at every address of this machine (%s)", "本院网页在本机所有地址上监听（%s）", p.Listen),
				Text{"name the address in the hospital's own network as listen under [page]", "请在 [page] 的 listen 中写明院内网络的地址"})
		} else if ip != nil && !ip.IsLoopback() && !ip.IsPrivate() && !ip.IsLinkLocalUnicast() {
			add(Warning, say("the page listens at %s, a public address", "本院网页在公网地址 %s 上监听", host),
				Text{"it is for the hospital's own network: name an address there as listen under [page]", "网页只应在院内网络使用：请在 [page] 的 listen 中写明院内地址"})
		}
	}
	if p.Cert != "" {
		r.certificate(p.Cert, p.Key, add)
	}
	accounts, err := site.AccountsIn(r.Config.Node.DataDir, page.Kind(), password.Default()).List()
	switch open := func() (n int) {
		for _, a := range accounts {
			if a.Role == site.Admin && !a.Locked {
				n++
			}
		}
		return n
	}(); {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		add(Failure, say("nobody can sign in to the page: %v", "无法登录本院网页：%v", err),
			Text{"give the file page/accounts mode 0600 and to the daemon's user", "请将 page/accounts 文件权限设为 0600 并归属服务用户"})
	case len(accounts) == 0:
		add(Warning, say("the page has no account, so nobody can sign in", "本院网页没有账号，无人可登录"),
			Text{"raresync page user add NAME --role admin", "请执行 raresync page user add 账号 --role admin"})
	case open == 0:
		add(Warning, say("the page has no administrator who can sign in", "本院网页没有可登录的管理员"),
			Text{"raresync page user unlock NAME, or raresync page user add NAME --role admin", "请执行 raresync page user unlock 账号，或 raresync page user add 账号 --role admin"})
	}
	if sound {
		r.good("page", "clerks can sign in at %s", "登记员可在 %s 登录", p.Listen)
	}
}

// certificate examines the hospital's own certificate of the page.
func (r *report) certificate(cert, key string, add func(Level, Text, Text)) {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		add(Failure, say("the page's certificate cannot be used: %v", "本院网页的证书无法使用：%v", err),
			Text{"check cert and key under [page], and that the daemon's user may read both", "请检查 [page] 中的 cert 和 key，并确认服务用户可以读取"})
		return
	}
	if info, err := os.Stat(key); err == nil && info.Mode().Perm()&0o077 != 0 {
		add(Warning, say("others on this machine may read %s, the key of the page's certificate", "本机其他用户可以读取网页证书的私钥 %s", key), say("chmod 0600 %s", "执行 chmod 0600 %s", key))
	}
	if left := pair.Leaf.NotAfter.Sub(r.Now()); left < endsSoon {
		add(Warning, say("the page's certificate ends on %s", "本院网页的证书将于 %s 到期", pair.Leaf.NotAfter.Format(time.DateOnly)),
			Text{"put a new one in its place: it is read again by itself", "请换上新证书，服务会自动重新读取"})
	}
}
