package blob

// Disk is what a test puts in the place of the real disk.
type Disk = disk

// RealDisk is the disk itself, to wrap.
type RealDisk = realDisk

// OpenFSOn opens a file store on a disk of the test's.
func OpenFSOn(dir string, o Options, d Disk) (*FS, error) { return openFS(dir, o, d) }
