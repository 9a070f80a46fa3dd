package phenopacket

import (
	"fmt"
	"strings"

	"github.com/raresync/raresync/registry/jsontree"
)

// fields are the names of phenopacket schema v2 (with its VRS and VRSATILE
// parts) as lowerCamelCase. They are the names that may be printed in a path,
// and those of several words are the ones that snake_case input is changed to.
var fields = wordSet(`
id subject phenotypicFeatures measurements biosamples interpretations diseases medicalActions files metaData
proband relatives consanguinousParents pedigree members description persons familyId individualId paternalId
maternalId sex affectedStatus
alternateIds dateOfBirth timeAtLastEncounter vitalStatus karyotypicSex gender taxonomy status timeOfDeath
causeOfDeath survivalTimeInDays
type label excluded severity modifiers onset resolution evidence evidenceCode reference
age ageRange gestationalAge ontologyClass timestamp interval iso8601duration start end weeks days
term diseaseStage clinicalTnmFinding primarySite laterality
assay value complexValue quantity unit referenceRange low high typedQuantities timeObserved procedure code bodySite
performed
derivedFromId sampledTissue sampleType timeOfCollection histologicalDiagnosis tumorProgression tumorGrade
pathologicalStage pathologicalTnmFinding diagnosticMarkers materialSample sampleProcessing sampleStorage
progressStatus diagnosis summary disease genomicInterpretations subjectOrBiosampleId interpretationStatus gene
variantInterpretation acmgPathogenicityClassification therapeuticActionability variationDescriptor variation
geneContext valueId symbol alternateSymbols xrefs expressions syntax version vcfRecord genomeAssembly chrom pos ref
alt qual filter info alternateLabels extensions moleculeContext structuralType vrsRefAlleleSeq allelicState
sequenceLocation sequenceId sequenceInterval startNumber endNumber chromosomeLocation speciesId
literalSequenceExpression derivedSequenceExpression repeatedSequenceExpression reverseComplement copyNumber
relativeCopyClass cytobandInterval indefiniteRange definiteRange
treatment radiationTherapy therapeuticRegimen treatmentTarget treatmentIntent responseToTreatment adverseEvents
treatmentTerminationReason agent routeOfAdministration doseIntervals scheduleFrequency drugType cumulativeDose
modality dosage fractions externalReference startTime endTime regimenStatus
uri individualToFileIdentifiers fileAttributes
created createdBy submittedBy resources updates updatedBy comment phenopacketSchemaVersion externalReferences name
url namespacePrefix iriPrefix
raresync department province diagnosisDate verification status birth deathDateUnknown firstContact familyHistory
consanguinity hospitalsBefore referredFrom payer geneticTest date result lab followUps visitDate diseaseStatus
nextVisit scale score family cohort basis consent by codes
specimens collected biobank count sprec site volume storage postMortem prenatal derivedFrom treatments stop stopReason
dose line response access outOfPocket monthsWaiting death cause related referrals from to reason accepted`)

// dataMaps are the fields whose member names are data, not field names.
var dataMaps = wordSet("individualToFileIdentifiers fileAttributes")

func wordSet(s string) map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(s) {
		set[word] = true
	}
	return set
}

// camel returns the lowerCamelCase form of a snake_case field name, or the
// name as it is if that gives no field of the schema.
func camel(name string) string {
	if !strings.Contains(name, "_") {
		return name
	}
	words := strings.Split(name, "_")
	for i, word := range words[1:] {
		if word != "" {
			words[i+1] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	if joined := strings.Join(words, ""); fields[joined] {
		return joined
	}
	return name
}

// rename gives every field its lowerCamelCase name. It returns the path of an
// object in which two spellings of one field meet, or "".
func rename(v *value, at way) (clash string) {
	for i, item := range v.Items {
		next := append(at, step{v, i})
		if v.Kind == jsontree.Object {
			name := camel(v.Names[i])
			if name != v.Names[i] && v.Get(name) != nil {
				return next.String()
			}
			if name != v.Names[i] {
				v.Rename(i, name)
			}
			if dataMaps[name] {
				continue
			}
		}
		if clash := rename(item, next); clash != "" {
			return clash
		}
	}
	return ""
}

// A way leads to an item within a document. Its path is written only for a
// finding. Who goes on appends to it, over what a brother appended: it is not kept.
type way []step

// step is an item of an object or array.
type step struct {
	in   *value
	item int
}

// String returns the way as a path. A name that is no field of the schema may
// itself be data, and is written as its place.
func (w way) String() string {
	path := "$"
	for _, s := range w {
		switch {
		case s.in.Kind == jsontree.Array:
			path = place(path, s.item)
		case fields[camel(s.in.Names[s.item])]:
			path += "." + camel(s.in.Names[s.item])
		default:
			path = fmt.Sprintf("%s.{%d}", path, s.item+1)
		}
	}
	return path
}
