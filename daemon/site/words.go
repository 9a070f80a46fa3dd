package site

import "maps"

// words are what all sites say.
var words = map[string]Text{
	"product": {"raresync", "raresync"}, "about": {"Rare disease registry", "罕见病登记"}, "skip": {"Skip to the content", "跳到正文"},
	"other": {"中文", "English"}, "signedInAs": {"Signed in as", "当前账号"}, "signOut": {"Sign out", "退出登录"},
	"signIn": {"Sign in", "登录"}, "name": {"Account", "账号"}, "passwordField": {"Password", "密码"}, "menu": {"Menu", "菜单"},
	"accounts": {"Accounts", "账号管理"}, "password": {"Change password", "修改密码"}, "problem": {"Not done", "未完成"}, "status": {"Status", "状态"},
	"noAccountYet": {"Accounts are kept by the administrator of this node.", "账号由本节点的管理员维护。"}, "toStart": {"Back to the first page", "返回首页"},

	"role": {"Role", "角色"}, "role.admin": {"Administrator", "管理员"}, "created": {"Created", "创建时间"},
	"provinceOf": {"Limited to the province", "限于省份"}, "provinceNone": {"the whole nation", "全国"}, "provinceHint": {"two digits of GB/T 2260, as 31; empty for the whole nation; coordinators alone", "GB/T 2260 前两位，如 31；留空为全国；仅限协调员"},
	"open": {"Open", "可登录"}, "locked": {"Locked", "已锁定"}, "actions": {"Actions", "操作"}, "lock": {"Lock", "锁定"}, "unlock": {"Unlock", "解锁"},
	"remove": {"Remove", "删除"}, "addAccount": {"Add an account", "新增账号"}, "add": {"Add", "新增"}, "setFor": {"Set another account's password", "重设其他账号的密码"},
	"set": {"Set the password", "设置密码"}, "oldPassword": {"Present password", "当前密码"}, "newPassword": {"New password", "新密码"}, "againPassword": {"New password again", "再次输入新密码"},
	"nameHint":     {"1 to 32 of a-z 0-9 . _ -", "1 至 32 个字符：a-z 0-9 . _ -"},
	"passwordHint": {"at least 12 characters; a few words do well", "至少 12 个字符；可用几个词组成"},
	"changeHint":   {"You sign in anew afterwards, everywhere.", "修改后，所有已登录处都需重新登录。"},

	"wrong": {"The name or the password is wrong, or the account is locked.", "账号或密码错误，或账号已被锁定。"},
	"wait":  {"Too many failures. Try again in %d minutes.", "失败次数过多，请在 %d 分钟后重试。"}, "waitOwn": {"Too many failures. Try again later.", "失败次数过多，请稍后重试。"},
	"notFound": {"There is no such page, or it is not yours.", "没有该页面，或您无权查看。"}, "notYours": {"Your account may not do this.", "您的账号无权进行此操作。"},
	"busy":          {"The node is busy. Try again in a moment.", "节点正忙，请稍后重试。"},
	"internal":      {"The node failed at this. Its log says why; tell the administrator.", "节点处理失败，原因见其日志，请告知管理员。"},
	"otherOrigin":   {"The form came from another page. Open this one anew and try again.", "该表单来自其他页面，请重新打开本页后重试。"},
	"twoPasswords":  {"The two passwords differ.", "两次输入的密码不一致。"},
	"wrongPassword": {"The present password is wrong.", "当前密码错误。"},
	"badPassword":   {"A password has 12 to 128 characters and is not the account's name.", "密码须为 12 至 128 个字符，且不得与账号相同。"},
	"badName":       {"An account's name has 1 to 32 of a-z 0-9 . _ - and begins with a letter or digit.", "账号须为 1 至 32 个字符（a-z 0-9 . _ -），以字母或数字开头。"},
	"badRole":       {"Choose a role.", "请选择角色。"}, "there": {"There is an account of that name.", "已有同名账号。"}, "noAccount": {"There is no account of that name.", "没有该账号。"},
	"badLimit":    {"Only a coordinator may be limited, to the two digits of a province.", "只有协调员可限于一省，请填写省份的两位代码。"},
	"unknownDeed": {"This page does no such thing.", "本页没有该操作。"},
	"lastAdmin":   {"It is the last administrator that can sign in.", "这是最后一个可登录的管理员。"},
}

// Words returns what all sites say, by key.
func Words() map[string]Text { return maps.Clone(words) }
