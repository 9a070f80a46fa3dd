package report

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/raresync/raresync/daemon/view"
)

// Errors that callers branch on.
var (
	// ErrUnknown reports a report that there is none of.
	ErrUnknown = errors.New("no such report")
	// ErrOptions reports options that a report cannot be made with.
	ErrOptions = errors.New("the report cannot be made so")
)

// Options choose what a report is about. What a report does not need it does not
// look at.
type Options struct {
	Period   view.Period // of the log: zero is all
	Disease  string      // a row of the lists, as "1.68"
	Hospital uint32      // 0: all
	Province string      // two digits of GB/T 2260; "": all
	// Nodes, Withdrawals, Checks and Queries are what the node knows beside the view.
	Nodes       []Node
	Withdrawals []Withdrawal
	Checks      []Checked
	Queries     []Question
}

// Node is where a node of the network stands.
type Node struct {
	ID, Kind, Institution string
	Size                  uint64
	Behind                int64 // entries; negative: not known
	Cosigns               string
	State                 string
}

// Withdrawal is one act that had entries erased.
type Withdrawal struct {
	Envelope     uint64
	LogTime      string // RFC 3339
	Hospital     string
	Entries      uint64
	Declared, Of int      // nodes
	Proof        string   // the command that shows it
	At           uint64   // log time, ms
	Owed         []string // nodes in the network of the institutions that had a copy then
}

// kind is a report that can be made.
type kind struct {
	name     string
	title    Text
	about    Text
	question string // under which a partner may ask for it; "": it is not for partners
	make     func(view.Query, Options, *Report) error
}

// kinds are all reports, in the order in which they are listed.
func kinds() []kind {
	return []kind{
		{"silent", Text{"Silent and late hospitals", "未报告与迟报医院"}, Text{"who has sent nothing, who sends less than usual, who registers late", "谁没有发送、谁少于平常、谁登记迟"}, "", silent},
		{"quality", Text{"Quality indicators", "质量指标"}, Text{"Q1 to Q16 of a hospital, a province or the nation, beside the median of hospitals", "医院、省或全国的 Q1–Q16 指标，以及各医院中位数"}, "", quality},
		{"provinces", Text{"Provinces", "各省汇总"}, Text{"hospitals, persons and registrations by province of the hospital", "按医院所在省统计医院、患者和登记"}, "provinces", provinces},
		{"disease", Text{"Disease sheet", "病种报表"}, Text{"one row of the lists: persons, ages, sex, delay, treatment (--disease 1.68)", "目录中的一个病种：患者、年龄、性别、确诊延迟、治疗（--disease 1.68）"}, "disease", disease},
		{"coverage", Text{"Coverage of the disease lists", "病种目录覆盖"}, Text{"every row of the lists with its registrations", "目录每一行及其登记数"}, "diseases", coverage},
		{"duplicates", Text{"Persons at several hospitals", "跨院患者与转诊流向"}, Text{"how many hospitals persons are registered at, and the ways between provinces", "患者登记于几家医院，及省间流向"}, "", duplicates},
		{"specimens", Text{"Specimens", "标本查询"}, Text{"available specimens by disease, kind and consent", "按病种、种类和同意情况统计可用标本"}, "specimens", specimens},
		{"drugs", Text{"Access to drugs", "药物可及性缺口"}, Text{"who is treated, who cannot be, and why, by disease", "按病种统计已治疗、无法获得治疗及原因"}, "drug-access", drugs},
		{"months", Text{"Months", "逐月登记"}, Text{"registrations and persons up to the end of each month of the log", "截至日志各月末的登记和患者"}, "months", byMonth},
		{"checks", Text{"Checks with source records", "原始病历核对"}, Text{"what hospitals found when they compared registrations that quality letters drew", "各医院对质量函抽取的登记进行核对的结果"}, "", checks},
		{"queries", Text{"Quality queries", "质量质疑"}, Text{"what hospitals were asked, how long queries are open, how many are answered in time", "各医院被质疑情况、待答时长与按期答复率"}, "", queries},
		{"withdrawals", Text{"Withdrawals and erasures", "撤回与擦除登记"}, Text{"every withdrawal on the log and which nodes have declared it", "日志上的每项撤回及各节点声明"}, "", withdrawals},
		{"convergence", Text{"Nodes of the network", "各节点一致性"}, Text{"tree size, lag and cosignature of every node", "各节点的树大小、滞后和会签"}, "", convergence},
	}
}

// Listed is a report that can be asked for.
type Listed struct {
	Name         string
	Title, About Text
}

// List returns all reports.
func List() (out []Listed) {
	for _, k := range kinds() {
		out = append(out, Listed{k.name, k.title, k.about})
	}
	return out
}

// Known reports whether there is a report of a name.
func Known(name string) bool {
	for _, k := range kinds() {
		if k.name == name {
			return true
		}
	}
	return false
}

// Make makes a report, exact. Errors are ErrUnknown, ErrOptions, or the view's.
func Make(q view.Query, name string, o Options) (Report, error) {
	for _, k := range kinds() {
		if k.name != name {
			continue
		}
		r := Report{
			Name: k.name, Title: k.title, Size: q.Head.Size, Root: q.Head.Root, Edition: q.Head.Edition,
			LogTime: time.UnixMilli(int64(q.Head.LogTime)).UTC().Format(time.RFC3339),
		}
		if q.Head.Unopened > 0 {
			r.Notes = append(r.Notes, Text{
				fmt.Sprintf("%d entries did not open and are not counted.", q.Head.Unopened),
				fmt.Sprintf("%d 个条目无法启封，未计入。", q.Head.Unopened)})
		}
		if q.Month != 0 {
			r.Month = q.Month.String()
			r.Notes = append(r.Notes, Text{
				fmt.Sprintf("Of the log up to the end of %s; the next figures come when the month after it is complete.", q.Month),
				fmt.Sprintf("截至 %s 月末的日志；下一个月结束后更新。", q.Month)})
		}
		err := k.make(q, o, &r)
		return r, err
	}
	return Report{}, fmt.Errorf("%w: %s", ErrUnknown, name)
}

// names are institutions by number and provinces by code, as the roster has them.
type names struct {
	hospitals map[string]Text
	province  map[string]string // of a hospital
}

func namesOf(q view.Query) (n names, err error) {
	n = names{map[string]Text{}, map[string]string{}}
	err = q.Each(`SELECT CAST(number AS TEXT), en, zh, province FROM hospitals`, func(row view.Row) error {
		var number, en, zh, province string
		if err := row(&number, &en, &zh, &province); err != nil {
			return err
		}
		n.hospitals[number], n.province[number] = Text{en, zh}, province
		return nil
	})
	return n, err
}

// ProvinceText names a province by its code, the first two digits of GB/T 2260.
func ProvinceText(code string) Text {
	for line := range strings.SplitSeq(provinceNames, ",") {
		if f := strings.Fields(line); len(f) == 3 && f[0] == code {
			return Text{strings.ReplaceAll(f[2], "_", " "), f[1]}
		}
	}
	if code == "" {
		return Text{"not known", "不详"}
	}
	return same(code)
}

// Provinces returns the codes of the 34 provincial units.
func Provinces() (codes []string) {
	for line := range strings.SplitSeq(provinceNames, ",") {
		codes = append(codes, strings.Fields(line)[0])
	}
	return codes
}

// provinceNames are the codes of GB/T 2260 with their short names.
const provinceNames = `11 北京 Beijing, 12 天津 Tianjin, 13 河北 Hebei, 14 山西 Shanxi, 15 内蒙古 Neimenggu,
21 辽宁 Liaoning, 22 吉林 Jilin, 23 黑龙江 Heilongjiang, 31 上海 Shanghai, 32 江苏 Jiangsu, 33 浙江 Zhejiang,
34 安徽 Anhui, 35 福建 Fujian, 36 江西 Jiangxi, 37 山东 Shandong, 41 河南 Henan, 42 湖北 Hubei, 43 湖南 Hunan,
44 广东 Guangdong, 45 广西 Guangxi, 46 海南 Hainan, 50 重庆 Chongqing, 51 四川 Sichuan, 52 贵州 Guizhou,
53 云南 Yunnan, 54 西藏 Xizang, 61 陕西 Shaanxi, 62 甘肃 Gansu, 63 青海 Qinghai, 64 宁夏 Ningxia, 65 新疆 Xinjiang,
71 台湾 Taiwan, 81 香港 Hong_Kong, 82 澳门 Macao`
