package doctor

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"time"

	"github.com/raresync/raresync/crypto/password"
	"github.com/raresync/raresync/daemon/console"
	"github.com/raresync/raresync/daemon/page"
	"github.com/raresync/raresync/daemon/site"
)

// endsSoon is how long before its end a certificate is told of.
const endsSoon = 30 * 24 * time.Hour

// served is a web site of the node, with how it is named.
type served struct {
	kind              site.Kind
	section           string // of the configuration, and the command that keeps accounts
	listen, cert, key string
	name              Text // "the page"
	who               Text // who signs in
}

// page examines the web page's settings, and console those of the console, where one is
// configured.
func (r *report) page() {
	p := r.Config.Page
	r.site(served{page.Kind(), "page", p.Listen, p.Cert, p.Key, Text{"the page", "本院网页"}, Text{"clerks", "登记员"}})
}

func (r *report) console() {
	c := r.Config.Console
	r.site(served{console.Kind(), "console", c.Listen, c.Cert, c.Key, Text{"the console", "控制台"}, Text{"coordinators", "协调员"}})
}

func (r *report) site(s served) {
	if s.listen == "" {
		return
	}
	sound := true
	add := func(level Level, says, fix Text) {
		sound = false
		r.add(level, s.section, says, fix)
	}
	if host, _, err := net.SplitHostPort(s.listen); err == nil {
		if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
			add(Warning, s.say("%s listens at every address of this machine (%s)", "%s在本机所有地址上监听（%s）", s.listen),
				say("name the address in the institution's own network as listen under [%s]", "请在 [%s] 的 listen 中写明机构内部网络的地址", s.section))
		} else if ip != nil && !ip.IsLoopback() && !ip.IsPrivate() && !ip.IsLinkLocalUnicast() {
			add(Warning, s.say("%s listens at %s, a public address", "%s在公网地址 %s 上监听", host),
				say("it is for the institution's own network: name an address there as listen under [%s]", "只应在机构内部网络使用：请在 [%s] 的 listen 中写明内部地址", s.section))
		}
	}
	if s.cert != "" {
		r.certificate(s, add)
	}
	accounts, err := site.AccountsIn(r.Config.Node.DataDir, s.kind, password.Default()).List()
	switch open := func() (n int) {
		for _, a := range accounts {
			if a.Role == site.Admin && !a.Locked {
				n++
			}
		}
		return n
	}(); {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		add(Failure, s.say("nobody can sign in to %s: %v", "无法登录%s：%v", err),
			say("give the file %s/accounts mode 0600 and to the daemon's user", "请将 %s/accounts 文件权限设为 0600 并归属服务用户", s.kind.Name))
	case len(accounts) == 0:
		add(Warning, s.say("%s has no account, so nobody can sign in", "%s没有账号，无人可登录"),
			say("raresync %s user add NAME --role admin", "请执行 raresync %s user add 账号 --role admin", s.section))
	case open == 0:
		add(Warning, s.say("%s has no administrator who can sign in", "%s没有可登录的管理员"),
			say("raresync %[1]s user unlock NAME, or raresync %[1]s user add NAME --role admin", "请执行 raresync %[1]s user unlock 账号，或 raresync %[1]s user add 账号 --role admin", s.section))
	}
	if sound {
		r.add(Good, s.section, Text{fmt.Sprintf("%s can sign in at %s", s.who.EN, s.listen), fmt.Sprintf("%s可在 %s 登录", s.who.ZH, s.listen)}, Text{})
	}
}

// say puts the site's name and a value into both forms.
func (s served) say(en, zh string, values ...any) Text {
	return Text{fmt.Sprintf(en, append([]any{s.name.EN}, values...)...), fmt.Sprintf(zh, append([]any{s.name.ZH}, values...)...)}
}

// certificate examines the institution's own certificate of a site.
func (r *report) certificate(s served, add func(Level, Text, Text)) {
	pair, err := tls.LoadX509KeyPair(s.cert, s.key)
	if err != nil {
		add(Failure, s.say("%s's certificate cannot be used: %v", "%s的证书无法使用：%v", err),
			say("check cert and key under [%s], and that the daemon's user may read both", "请检查 [%s] 中的 cert 和 key，并确认服务用户可以读取", s.section))
		return
	}
	if info, err := os.Stat(s.key); err == nil && info.Mode().Perm()&0o077 != 0 {
		add(Warning, Text{fmt.Sprintf("others on this machine may read %s, the key of the certificate of %s", s.key, s.name.EN), fmt.Sprintf("本机其他用户可以读取%s证书的私钥 %s", s.name.ZH, s.key)},
			say("chmod 0600 %s", "执行 chmod 0600 %s", s.key))
	}
	if left := pair.Leaf.NotAfter.Sub(r.Now()); left < endsSoon {
		add(Warning, s.say("%s's certificate ends on %s", "%s的证书将于 %s 到期", pair.Leaf.NotAfter.Format(time.DateOnly)),
			Text{"put a new one in its place: it is read again by itself", "请换上新证书，服务会自动重新读取"})
	}
}
