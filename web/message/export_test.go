package message

// Clean is the sanitiser, for tests.
func Clean(raw string, image func(id string) (string, []byte)) string {
	return newSanitiser().clean(raw, image)
}
