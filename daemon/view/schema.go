package view

// schema makes the tables. An institution is other if it sends nothing that is in the
// view: a reader, or a hospital whose entries may not be opened here. Days are counted from 1970-01-01 and months from the
// year 0, both in China's time; "index" is a word of SQL, so an index is idx.
const schema = `
CREATE TABLE IF NOT EXISTS head (one INTEGER PRIMARY KEY CHECK (one = 1), envelopes INTEGER NOT NULL, size INTEGER NOT NULL,
  root BLOB NOT NULL, log_time INTEGER NOT NULL, edition TEXT NOT NULL, unopened INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS hospitals (number INTEGER PRIMARY KEY, other INTEGER NOT NULL, lead INTEGER NOT NULL,
  province TEXT NOT NULL, zh TEXT NOT NULL, en TEXT NOT NULL, entity TEXT NOT NULL, gone INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS diseases (list INTEGER, number INTEGER, zh TEXT NOT NULL, en TEXT NOT NULL, genetic INTEGER NOT NULL,
  PRIMARY KEY (list, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS envelopes (number INTEGER PRIMARY KEY, hospital INTEGER NOT NULL, first INTEGER NOT NULL,
  entries INTEGER NOT NULL, log_time INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS receipts (envelope INTEGER PRIMARY KEY, node TEXT NOT NULL, through INTEGER NOT NULL, log_time INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS subjects (id INTEGER PRIMARY KEY, pseudonym BLOB NOT NULL UNIQUE, person INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS entries (idx INTEGER PRIMARY KEY, envelope INTEGER NOT NULL, hospital INTEGER NOT NULL,
  log_time INTEGER NOT NULL, day INTEGER NOT NULL, month INTEGER NOT NULL, type INTEGER NOT NULL, profile INTEGER NOT NULL,
  source INTEGER NOT NULL, basis INTEGER NOT NULL, strength INTEGER NOT NULL, subject INTEGER, person INTEGER,
  id BLOB, event INTEGER, event_month INTEGER, corrected INTEGER NOT NULL DEFAULT 0, corrects INTEGER,
  stopped INTEGER NOT NULL DEFAULT 0, problem TEXT NOT NULL DEFAULT '', doubtful INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS cases (idx INTEGER PRIMARY KEY, id BLOB NOT NULL, verification INTEGER NOT NULL, sex INTEGER NOT NULL, birth INTEGER,
  onset INTEGER, diagnosed INTEGER, delay INTEGER, residence TEXT NOT NULL, vital INTEGER NOT NULL, needed INTEGER NOT NULL, missing INTEGER NOT NULL,
  hpo INTEGER NOT NULL, onset_given INTEGER NOT NULL, contact INTEGER NOT NULL, disease INTEGER NOT NULL, coded INTEGER NOT NULL,
  queried INTEGER NOT NULL, genetic INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS case_rows (idx INTEGER, list INTEGER, number INTEGER, PRIMARY KEY (idx, list, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS genetics (idx INTEGER PRIMARY KEY, of_case BLOB NOT NULL, test INTEGER NOT NULL, result INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS visits (idx INTEGER PRIMARY KEY, of_case BLOB NOT NULL, vital INTEGER NOT NULL, status INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS specimens (idx INTEGER PRIMARY KEY, of_case BLOB NOT NULL, kind INTEGER NOT NULL, status INTEGER NOT NULL, consent INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS treatments (idx INTEGER PRIMARY KEY, of_case BLOB NOT NULL, agent TEXT NOT NULL, status INTEGER NOT NULL, reason INTEGER NOT NULL,
  access INTEGER NOT NULL, waiting INTEGER, band INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS deaths (idx INTEGER PRIMARY KEY, of_case BLOB NOT NULL, related INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS referrals (idx INTEGER PRIMARY KEY, of_case BLOB NOT NULL, from_code TEXT NOT NULL, to_code TEXT NOT NULL,
  reason INTEGER NOT NULL, accepted INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS aliases (idx INTEGER PRIMARY KEY, hospital INTEGER NOT NULL, action INTEGER NOT NULL, reason INTEGER NOT NULL,
  old BLOB NOT NULL, new BLOB NOT NULL, old_type INTEGER NOT NULL, new_type INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS intakes (idx INTEGER NOT NULL, source INTEGER NOT NULL, offered INTEGER NOT NULL, refused INTEGER NOT NULL,
  PRIMARY KEY (idx, source)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS intake_rules (idx INTEGER NOT NULL, code TEXT NOT NULL, refused INTEGER NOT NULL, PRIMARY KEY (idx, code)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS findings (idx INTEGER NOT NULL, code TEXT NOT NULL, severity TEXT NOT NULL, field TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS findings_idx ON findings (idx);
CREATE INDEX IF NOT EXISTS hospitals_entity ON hospitals (entity);
` + views

// views are what queries read of entries. A connection that is narrowed to a province
// has its own of the same names, over its own entries and hospitals.
const views = `
CREATE VIEW IF NOT EXISTS live AS SELECT * FROM entries WHERE stopped & 1 = 0 AND problem = '';
CREATE VIEW IF NOT EXISTS facts AS SELECT e.*, coalesce(h.province, '') AS province FROM live e LEFT JOIN hospitals h ON h.number = e.hospital;
CREATE VIEW IF NOT EXISTS everything AS SELECT e.*, coalesce(h.province, '') AS province FROM entries e LEFT JOIN hospitals h ON h.number = e.hospital;
CREATE VIEW IF NOT EXISTS dead AS SELECT person FROM deaths d JOIN live e ON e.idx = d.idx WHERE person IS NOT NULL
  UNION SELECT person FROM cases c JOIN live e ON e.idx = c.idx WHERE vital = 2 AND person IS NOT NULL;
CREATE VIEW IF NOT EXISTS registrations AS SELECT c.*, e.hospital, e.person, e.profile, e.strength, e.basis, e.log_time, e.day, e.month, e.event_month, coalesce(h.province, '') AS province
  FROM cases c JOIN live e ON e.idx = c.idx LEFT JOIN hospitals h ON h.number = e.hospital;
`

// indexes are made once the log is read: kept up row by row they would cost as much
// as the rows. What is looked up before then is few.
var indexes = map[string]string{
	"entries_hospital": `entries (hospital, type, month, day, stopped, problem)`,
	"entries_subject":  `entries (subject, type) WHERE subject IS NOT NULL`,
	"cases_id":         `cases (id)`,
	"case_rows_row":    `case_rows (list, number)`,
	"genetics_case":    `genetics (of_case)`,
}

// contents are the tables that hold what an entry says, by its index.
var contents = [...]string{"cases", "case_rows", "genetics", "visits", "specimens", "treatments", "deaths", "referrals", "aliases", "findings", "intakes", "intake_rules"}

// derived are all tables that follow from the log.
var derived = append([]string{"envelopes", "receipts", "entries", "subjects", "hospitals", "diseases"}, contents[:]...)

// statements are prepared once for each transaction that writes.
var statements = map[string]string{
	"envelope":  `INSERT OR REPLACE INTO envelopes VALUES (?,?,?,?,?)`,
	"receipt":   `INSERT OR REPLACE INTO receipts VALUES (?,?,?,?)`,
	"subject":   `INSERT INTO subjects (pseudonym, person) VALUES (?, (SELECT coalesce(max(id), 0) + 1 FROM subjects)) ON CONFLICT (pseudonym) DO UPDATE SET person = person RETURNING id, person`,
	"entry":     `INSERT INTO entries (idx, envelope, hospital, log_time, day, month, type, profile, source, basis, strength, subject, person, id, event, event_month, corrects, problem, doubtful) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
	"case":      `INSERT INTO cases VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
	"row":       `INSERT OR IGNORE INTO case_rows VALUES (?,?,?)`,
	"genetics":  `INSERT INTO genetics VALUES (?,?,?,?)`,
	"visit":     `INSERT INTO visits VALUES (?,?,?,?)`,
	"specimen":  `INSERT INTO specimens VALUES (?,?,?,?,?)`,
	"treatment": `INSERT INTO treatments VALUES (?,?,?,?,?,?,?,?)`,
	"death":     `INSERT INTO deaths VALUES (?,?,?)`,
	"referral":  `INSERT INTO referrals VALUES (?,?,?,?,?,?)`,
	"alias":     `INSERT INTO aliases VALUES (?,?,?,?,?,?,?,?)`,
	"intake":    `INSERT INTO intakes VALUES (?,?,?,?)`,
	"refusal":   `INSERT INTO intake_rules VALUES (?,?,?)`,
	"finding":   `INSERT INTO findings VALUES (?,?,?,?)`,
	"corrected": `UPDATE entries SET corrected = ?, profile = ?, source = ?, basis = ?, event = ?, event_month = ? WHERE idx = ?`,
	"stopped":   `UPDATE entries SET stopped = ? WHERE idx = ?`,
}
