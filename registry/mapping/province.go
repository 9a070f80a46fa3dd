package mapping

import "strings"

// provinceNames are the codes of GB/T 2260 with their short names.
const provinceNames = `11 北京 Beijing, 12 天津 Tianjin, 13 河北 Hebei, 14 山西 Shanxi, 15 内蒙古 Neimenggu,
21 辽宁 Liaoning, 22 吉林 Jilin, 23 黑龙江 Heilongjiang, 31 上海 Shanghai, 32 江苏 Jiangsu, 33 浙江 Zhejiang,
34 安徽 Anhui, 35 福建 Fujian, 36 江西 Jiangxi, 37 山东 Shandong, 41 河南 Henan, 42 湖北 Hubei, 43 湖南 Hunan,
44 广东 Guangdong, 45 广西 Guangxi, 46 海南 Hainan, 50 重庆 Chongqing, 51 四川 Sichuan, 52 贵州 Guizhou,
53 云南 Yunnan, 54 西藏 Xizang, 61 陕西 Shaanxi, 62 甘肃 Gansu, 63 青海 Qinghai, 64 宁夏 Ningxia, 65 新疆 Xinjiang,
71 台湾 Taiwan, 81 香港 Hong_Kong, 82 澳门 Macao`

// fullNames end the names of provinces in full.
var fullNames = []string{"省", "市", "自治区", "壮族自治区", "回族自治区", "维吾尔自治区", "特别行政区"}

func provinces() (all []meaning) {
	for line := range strings.SplitSeq(provinceNames, ",") {
		f := strings.Fields(line)
		m := mean(f[0], f[1], strings.ReplaceAll(f[2], "_", " "))
		for _, end := range fullNames {
			m.words = append(m.words, f[1]+end)
		}
		all = append(all, m)
	}
	return all
}

// provinceOf reads a province: by name, by code of two or six digits, or by its
// full name at the beginning of an address: a street may have a short one.
func provinceOf(text string) string {
	if code := provinceWords.find(text); code != "" {
		return code
	}
	if digits := wordKey(text); len(digits) == 6 && isDigits(digits) {
		return provinceWords.find(digits[:2])
	}
	for _, m := range provinceWords.meanings {
		for _, name := range m.words[2:] {
			if strings.HasPrefix(text, name) {
				return m.name
			}
		}
	}
	return ""
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
