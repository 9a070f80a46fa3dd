package state

// What the tests look at from outside.
var (
	Union    = union
	Holds    = holds
	HoldsAll = holdsAll
)

// EncodedErasures returns the field before the next.
func (s *State) EncodedErasures() []byte { return s.appendErasures(nil) }

// EncodedFeatures returns the last field of a snapshot of the first log epoch.
func (s *State) EncodedFeatures() []byte { return s.appendFeatures(nil) }

// EncodedMembership returns the field before that.
func (s *State) EncodedMembership() []byte { return s.appendMembership(nil) }

// EncodedEpochs returns the last field of a snapshot of a later log epoch.
func (s *State) EncodedEpochs() []byte { return s.appendEpochs(nil) }
