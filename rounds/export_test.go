package rounds

// Most lowers the bound of a fetcher, in octets.
func (f *Fetcher) Most(n int64) *Fetcher {
	f.most = n
	return f
}
