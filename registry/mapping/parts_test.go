package mapping

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const partHeads = "病案号,样本类型,采样日期,样本库,样本份数,样本状态,样本知情同意,治疗药物,治疗状态,治疗开始日期,疗效,药物获得途径," +
	"每月自付（元）,等待用药月数,转诊日期,转诊原因,转出医院,性别,出生日期,居住省份,科室,疾病名称,诊断日期,起病,生存状态\n"

func TestARowHasASpecimenATreatmentAndAReferral(t *testing.T) {
	row := "B1,全血,2020/5/6,院生物样本库,2份,在库,同意,ATC:A16AB04（阿加糖酶β）,治疗中,20200901,稳定,医保,1000-5000,4个月," +
		"2020-04-01,诊断,12100000400000000w,男,1990-03-07,广东,肾内科,法布雷病,2020-05-06,8岁,存活\n"
	all, found, r := patients(t, ShippedOrFail(t, "template"), partHeads+row)
	if r.Err() != nil || len(all) != 1 || len(found) > 0 {
		t.Fatalf("%d patients, %q, %v", len(all), found, r.Err())
	}
	var got struct{ Raresync map[string]any }
	if err := json.Unmarshal(all[0].Packet, &got); err != nil {
		t.Fatal(err)
	}
	var want map[string]any
	if err := json.Unmarshal([]byte(`{
		"specimens": [{"type": "blood", "collected": "2020-05-06", "biobank": "院生物样本库", "count": 2, "status": "available", "consent": "yes"}],
		"treatments": [{"agent": {"id": "ATC:A16AB04", "label": "阿加糖酶β"}, "status": "started", "start": "2020-09-01", "response": "stable",
			"access": "insurance list", "outOfPocket": "1000-5000", "monthsWaiting": 4}],
		"referrals": [{"date": "2020-04-01", "from": "12100000400000000W", "reason": "diagnosis"}]
	}`), &want); err != nil {
		t.Fatal(err)
	}
	for name, part := range want {
		if !reflect.DeepEqual(got.Raresync[name], part) {
			t.Errorf("%s are %v, want %v", name, got.Raresync[name], part)
		}
	}
}

func TestWhatIsWrongWithAPartIsToldWithItsCell(t *testing.T) {
	row := "B1,木头,昨天,院样本库,两份,在库,无,A16AB04,也许,2020-09-01,,白送,很多,四,,,,男,1990-03-07,广东,肾内科,法布雷病,2020-05-06,8岁,存活\n"
	all, found, _ := patients(t, ShippedOrFail(t, "template"), partHeads+row)
	slices.Sort(found)
	want := "B2 样本类型: DX003, C2 采样日期: DT001, E2 样本份数: DX003, I2 治疗状态: DX003, L2 药物获得途径: DX003, " +
		"M2 每月自付（元）: DX003, N2 等待用药月数: DX003"
	if got := strings.Join(found, ", "); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if packet := string(all[0].Packet); !strings.Contains(packet, `"consent":"no"`) || !strings.Contains(packet, `"agent":{"id":"ATC:A16AB04"}`) {
		t.Errorf("the packet is %s", packet)
	}
}
