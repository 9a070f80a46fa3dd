package generate

import "github.com/raresync/raresync/registry/entry"

type term struct{ id, label string }

// features are phenotypes of the Human Phenotype Ontology.
var features = []term{
	{"HP:0001250", "Seizure"}, {"HP:0001252", "Hypotonia"}, {"HP:0001263", "Global developmental delay"},
	{"HP:0001249", "Intellectual disability"}, {"HP:0000252", "Microcephaly"}, {"HP:0000256", "Macrocephaly"},
	{"HP:0004322", "Short stature"}, {"HP:0001508", "Failure to thrive"}, {"HP:0001324", "Muscle weakness"},
	{"HP:0001251", "Ataxia"}, {"HP:0001257", "Spasticity"}, {"HP:0001332", "Dystonia"}, {"HP:0002360", "Sleep disturbance"},
	{"HP:0000365", "Hearing impairment"}, {"HP:0000505", "Visual impairment"}, {"HP:0000518", "Cataract"},
	{"HP:0000486", "Strabismus"}, {"HP:0000639", "Nystagmus"}, {"HP:0001638", "Cardiomyopathy"},
	{"HP:0001635", "Congestive heart failure"}, {"HP:0001629", "Ventricular septal defect"},
	{"HP:0001631", "Atrial septal defect"}, {"HP:0002240", "Hepatomegaly"}, {"HP:0001744", "Splenomegaly"},
	{"HP:0001903", "Anemia"}, {"HP:0001873", "Thrombocytopenia"}, {"HP:0000083", "Renal insufficiency"},
	{"HP:0000093", "Proteinuria"}, {"HP:0000790", "Hematuria"}, {"HP:0002650", "Scoliosis"},
	{"HP:0001382", "Joint hypermobility"}, {"HP:0000938", "Osteopenia"}, {"HP:0001945", "Fever"},
	{"HP:0002094", "Dyspnea"}, {"HP:0002013", "Vomiting"}, {"HP:0002014", "Diarrhea"}, {"HP:0001513", "Obesity"},
	{"HP:0000822", "Hypertension"}, {"HP:0012378", "Fatigue"}, {"HP:0003236", "Elevated circulating creatine kinase concentration"},
}

var severities = []term{{"HP:0012825", "Mild"}, {"HP:0012826", "Moderate"}, {"HP:0012828", "Severe"}}

// A gene with its transcript.
type gene struct{ hgnc, symbol, transcript string }

var genes = []gene{
	{"HGNC:3603", "FBN1", "NM_000138.5"}, {"HGNC:1884", "CFTR", "NM_000492.4"}, {"HGNC:2928", "DMD", "NM_004006.3"},
	{"HGNC:10585", "SCN1A", "NM_001165963.4"}, {"HGNC:8582", "PAH", "NM_000277.3"}, {"HGNC:4296", "GLA", "NM_000169.3"},
	{"HGNC:3546", "F8", "NM_000132.4"}, {"HGNC:870", "ATP7B", "NM_000053.4"}, {"HGNC:12363", "TSC2", "NM_000548.5"},
	{"HGNC:6990", "MECP2", "NM_004992.4"},
}

var departments = []string{"神经内科", "内分泌科", "血液科", "心内科", "肾内科", "儿科", "呼吸科", "风湿免疫科", "遗传咨询门诊", "眼科"}

// provinces are first digits of GB/T 2260, those of many people repeated.
var provinces = []string{"11", "11", "12", "13", "14", "15", "21", "22", "23", "31", "31", "32", "32", "33", "33", "34",
	"35", "36", "37", "37", "41", "41", "42", "43", "44", "44", "44", "45", "46", "50", "51", "51", "52", "53", "54",
	"61", "62", "63", "64", "65"}

// sexOf names the sex of rows that are bound to one, by list and number.
var sexOf = map[[2]int]entry.Sex{
	{1, 36}: entry.SexMale, {1, 98}: entry.SexMale, {1, 109}: entry.SexMale, {1, 118}: entry.SexMale,
	{1, 119}: entry.SexMale, {1, 120}: entry.SexMale, {1, 121}: entry.SexMale, {2, 12}: entry.SexMale,
	{1, 64}: entry.SexFemale, {2, 72}: entry.SexFemale,
}

// newbornRows begin in the first months of life.
var newbornRows = map[[2]int]bool{{1, 80}: true, {2, 71}: true}
