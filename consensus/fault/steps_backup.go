package fault

// The steps of saving a backup and of restoring a node from one.
const (
	// BackupParts: the ledger's parts are in the unfinished file.
	BackupParts Step = "backup/parts"
	// BackupVerified: the parts were derived again; the manifest is not there.
	BackupVerified Step = "backup/verified"
	// BackupSynced: the file is whole and on disk under its unfinished name.
	BackupSynced Step = "backup/synced"
	// BackupNamed: the file has its name, the folder is not fsynced.
	BackupNamed Step = "backup/named"

	// RestoreLedger: the ledger's files are in the unfinished folder.
	RestoreLedger Step = "restore/ledger"
	// RestoreFacts: so are the state and the checkpoint.
	RestoreFacts Step = "restore/facts"
	// RestoreOpened: a machine was opened on them and found them good.
	RestoreOpened Step = "restore/opened"
	// RestoreNamed: the folder has its name, the one above is not fsynced.
	RestoreNamed Step = "restore/named"
	// SaltsRefilled: salts from a peer are on disk, not yet counted.
	SaltsRefilled Step = "salts/refilled"
)
