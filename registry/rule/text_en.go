package rule

// english holds what each rule says in English.
var english = map[string]text{
	"ID001": {"The number does not have the form of its document type.", "Check the document type and copy the number from the document again."},
	"ID002": {"The check digit of the 18-character ID is wrong.", "Copy the number from the document again; one character is probably mistyped."},
	"ID003": {"The birth date inside the ID is not a possible date.", "Compare the eight date digits with the document and correct them."},
	"ID004": {"The ID comes from a number cell or is masked, so digits are lost.", "Format the column as text, export again from the source system, and do not restore the missing digits by hand."},
	"ID005": {"The first two digits of the ID are no known province.", "Check the number; if the document says so, nothing needs to be done."},
	"ID006": {"The birth date column and the birth date inside the ID disagree.", "Check that both belong to the same patient, then correct the wrong one."},
	"ID007": {"The sex column and the sex coded in the ID disagree.", "Confirm the sex with the source record and answer the query; a corrected sex is a valid answer."},
	"ID008": {"The ID ends in 000, as another one in this file does: a spreadsheet may have rounded them.", "Compare the last three characters with the source system."},
	"ID009": {"The two identities in this row already belong to different patients.", "Find out which patient the row is about; if both are one person, join them with entry link."},
	"ID010": {"The patient has only a weak or local identity.", "Give the document with the first submission; if it comes later, join it to the case with entry link."},
	"ID011": {"The number is a test number or a printed specimen.", "Use the patient's own number; test numbers belong on a demo network."},

	"AL001": {"Your hospital has no entry of its own under either of the two identities.", "Give the document under which your hospital registered the patient, and link once that entry is in the log."},
	"AL002": {"Both are one identity: there is nothing to link.", "Give the document that was used before, and the one the patient has now."},
	"AL003": {"The link would join more than six identities to one person.", "Check each link of this patient; undo the wrong one with entry unlink, or ask the coordinator."},
	"AL004": {"Your hospital has not linked these two identities, so there is nothing to undo.", "Check both numbers; a link made a moment ago must be in the log first."},
	"AL005": {"The entries under the two identities differ in sex.", "Check that both are of one patient: undo the link if not, correct the wrong entry if so."},
	"AL006": {"The entries under the two identities differ in year or month of birth.", "Check that both are of one patient: undo the link if not, correct the wrong entry if so."},
	"AL007": {"The reason given does not fit the two types of document.", "Check which document is the old one, and choose another reason if that is right."},

	"OR001": {"The institution code fails its check or is not a member.", "Check the 18-character Unified Social Credit Code and the member list."},
	"OR002": {"The signing key does not belong to this hospital.", "Check which key the node is configured with; ask the network's operator if it was rotated."},
	"OR003": {"The hospital that the patient is sent to is not, or no longer, in this network.", "Check the code with member list; of a hospital outside the network, leave the referral out."},

	"DT001": {"The date cannot be read or lies in the future.", "Write the date as YYYY-MM-DD."},
	"DT002": {"The dates contradict each other.", "Check the order of birth, diagnosis, follow-up, specimen and death."},
	"DT003": {"The dates are in an unusual order or very old.", "Confirm onset and diagnosis date with the source record."},
	"DT004": {"The date is not complete or can be read in two ways.", "Write four digits for the year, and give month and day where they are known."},
	"DT005": {"The age is outside the expected range.", "Confirm birth date and event date."},

	"DX001": {"No disease is given and the case is not marked undiagnosed.", "Give a disease, or mark the case as undiagnosed with its features."},
	"DX002": {"An undiagnosed case has no observed feature.", "Add at least one HPO feature that was observed."},
	"DX003": {"The code or word is well formed but unknown to the loaded table.", "Check it; if it is newer than the table, nothing needs to be done."},
	"DX004": {"The disease code is malformed.", "Write it as ORPHA:558, OMIM:154700, MONDO:0007947 or Q87.4, or use the list number."},
	"DX005": {"List number, ORPHA and ICD code do not name the same disease.", "Decide which is right and correct the others."},
	"DX006": {"The disease is unusual for this sex or age.", "Confirm disease, sex and dates with the source record."},
	"DX008": {"The list number stands in no row of the edition in force.", "Correct it; if a newer edition has it, the network must take that first: raresync catalog editions."},
	"DX007": {"The disease is in none of the national lists.", "Nothing needs to be done; check the code if you expected a listed disease."},

	"PH001": {"The HPO id is malformed.", "Write it as HP: and seven digits, such as HP:0001250."},
	"PH002": {"The HPO id is retired or unknown.", "Replace it by its current id when convenient."},
	"PH003": {"The same HPO feature is both observed and excluded.", "Keep the statement that is true, or give both their dates."},
	"PH004": {"The same HPO feature is given twice.", "Remove the repeated one."},

	"GN001": {"The variant description cannot be read as HGVS.", "Check transcript, position and change, for example NM_000138.5:c.364C>T."},
	"GN002": {"The diagnosis is marked genetic, but there is no genetic result.", "Add the result, or choose another way of verification."},
	"GN003": {"The variant has no transcript or no genome assembly.", "Add them from the laboratory's report."},
	"GN004": {"A causative result carries a benign class.", "Check result and ACMG class with the laboratory's report."},

	"ST001": {"The status is dead, but there is no death entry.", "Add a death entry, or mark the date of death as unknown."},
	"ST002": {"A visit as alive lies after the death.", "Confirm both dates and that both belong to the same patient."},

	"TX001": {"The treatment stops before it starts.", "Correct start or stop date."},
	"TX002": {"The unit is unknown.", "Use a UCUM unit, such as mg/kg."},
	"TX003": {"A response is given for a treatment that was not started.", "Correct the status or remove the response."},

	"SP001": {"There is no consent to store the specimen in a biobank.", "Record the consent first, or leave the specimen out."},
	"SP002": {"The specimen this one derives from is unknown.", "Register the parent specimen first and check its number."},
	"SP003": {"The specimen was collected before birth and is not marked prenatal.", "Correct the date or mark the specimen as prenatal."},
	"SP004": {"The specimen's biobank is on none of your hospital's cards.", "Write the biobank's name or id as card list shows it, or describe it with card put."},

	"CD001": {"The card cannot be read.", "Correct the line or the word that is named; docs/INPUT.md lists fields and words."},
	"CD002": {"The card lacks a field that cards of its kind need.", "Fill the field in."},
	"CD003": {"The card has a field that cards of its kind do not have.", "Remove the field, or check the kind."},
	"CD004": {"The card belongs to one that your hospital does not have.", "Put that card first, and check its id with card list."},

	"CN001": {"The patient has stopped the use of their entries.", "Do not send it; if the patient allows use again, record that first with withdraw resume."},
	"CN002": {"A patient under 14 has no guardian's consent.", "Record the guardian's consent, or the legal basis that applies."},
	"CN003": {"The consent is older than the current form.", "Renew the consent at the next visit."},
	"CN004": {"The patient has withdrawn, and the entries are erased or will be.", "Do not send it; if the patient consents to be registered anew, record that first with withdraw resume --again."},

	"CR001": {"The file does not hold exactly one entry of the corrected entry's type.", "Give a file of this patient with one such entry, as it should have been."},
	"CR002": {"The entry says this already: there is nothing to correct.", "Check that the file is the corrected one."},
	"CR003": {"An entry of this type is not corrected.", "Correct the case, the genetic result or the visit; take a link back with entry unlink."},

	"DU001": {"Your hospital has already registered this patient with this disease.", "Send a correction or a follow-up instead."},
	"DU002": {"Another hospital has also registered this patient with this disease.", "Nothing needs to be done; the patient is counted once."},
	"DU003": {"More than three patients in this file share birth date, sex and diagnosis date.", "Check whether rows were pasted or filled down by mistake."},
	"DU004": {"All of this was sent before: nothing new would go.", "Nothing needs to be done."},
	"DU005": {"This was sent before with other content: it would go as one more entry of the patient.", "If what was sent first is wrong, correct it with entry correct instead."},
	"DU006": {"Your hospital has sent entries of this patient before: these would join them.", "Nothing needs to be done; the patient is counted once."},

	"PR001": {"A free text field holds something that identifies the patient.", "Remove names, ID, telephone and record numbers from the text."},

	"FM001": {"The file's encoding cannot be read.", "Save the file as UTF-8 or GB18030 and drop it again."},
	"FM002": {"A column heading is unknown or occurs twice.", "Rename or remove the column, or adapt the mapping."},
	"FM003": {"The row has another number of columns than the heading.", "Look for a separator or a line break inside a cell."},
	"FM004": {"A totals row at the end was left out.", "Nothing needs to be done."},
	"FM005": {"The file or the entry is larger than it may be.", "Divide the file, or shorten the entry."},
	"FM006": {"A sealed body has a length that no entry has.", "Nothing to do for clerks; the operator should ask the sender to update its software."},
	"FM007": {"This is not, or no longer, a table that can be read.", "Save it from the spreadsheet as .xlsx or as CSV; if it is damaged, export it again."},
	"FM008": {"This sheet has none of the headings and was not read.", "If patients are in it, give it the headings of the others."},
	"FM009": {"The archive holds what is not taken in.", "Pack JSON files of phenopackets or FHIR only, without links, passwords or archives within."},

	"PP001": {"The phenopacket has no metaData or no subject.", "Complete it in the program that wrote it."},
	"PP002": {"The file is not a phenopacket.", "Correct the value that is named, or check that the right file was dropped; other formats have a format of their own to choose."},
	"PP003": {"An interpretation names a disease that the packet does not list.", "Add the disease, or correct the interpretation."},
	"PP004": {"A biosample or medical action lacks what an entry of its own needs.", "Complete it, or give it in the member raresync; until then it stays in the case."},

	"FH001": {"A reference leads to nothing in the file.", "Correct it, or add what it names: a FHIR resource, or the patient a document was given for."},
	"FH002": {"This type of FHIR bundle cannot be taken in.", "Export a searchset, collection, document, batch or transaction bundle."},
	"FH003": {"The FHIR file holds resources that are not used here.", "Nothing needs to be done; see the counts."},
	"FH004": {"The FHIR file holds no Patient.", "Export the Patients with their resources, or pack the files that belong together into one .zip."},
	"FH005": {"A FHIR resource was left out: it says too little, or not of whom.", "Complete it in the source system if it matters; everything else was read."},
	"FH006": {"Two Patients of the FHIR file share an id or a document.", "Give twins their own documents; of a patient who was exported twice, leave one."},
	"FH007": {"This is not FHIR R4 in JSON that can be read.", "Export it again as JSON in UTF-8; XML and versions before R4 are not read."},

	"QY001":  {"The query names no rule of the registry.", "Give the code of a rule, as ID007; validate and entry list show them."},
	"QY002":  {"Nothing can be asked about this entry.", "Ask about a case, its genetics, a visit or another entry of a patient."},
	"QY003":  {"The query was closed by who asked.", "Nothing needs to be done."},
	"QY004":  {"The answer says that the entry was wrong, and no correction is in the log yet.", "Send it with entry correct; it answers the query by itself."},
	"RQ001":  {"A field that this profile requires is missing.", "Fill the field in, or choose the profile that fits the source."},
	"ENC001": {"The bytes are not the one encoding the protocol allows.", "The operator should compare the program versions of both nodes."},

	"SEAL001": {"No key of this node opens the envelope.", "Check that this reader was entitled when the envelope was made; ask for a grant if it should be."},
	"SEAL002": {"A sealed body does not open, or holds no valid entry.", "Report it to the operator: the sender sealed it wrongly, or the copy is damaged."},
	"SEAL003": {"The envelope's key differs from the one it commits to.", "Post it as unopenable; the sender must explain and send the entries again."},
	"SEAL004": {"The entry is sealed to a former key of this institution, which is not on this node.", "Bring the key back with key protect --restore and two of its three files; a key that was lost with its node opens nothing any more."},
}
