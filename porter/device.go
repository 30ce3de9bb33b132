package porter

import "strings"

// deviceLabel makes a short label of a User-Agent: a browser and a system out of a
// closed list, such as "Firefox, Android". It is to be recognised by its owner, and
// nothing of what a browser says of itself is kept.
func deviceLabel(agent string) string {
	if len(agent) > 1024 {
		agent = agent[:1024]
	}
	// The first that fits counts: browsers name those that they want to be taken for.
	browser := firstOf(agent, "Browser",
		"Edg", "Edge", "OPR/", "Opera", "SamsungBrowser", "Samsung Internet", "Firefox", "Firefox", "FxiOS", "Firefox",
		"CriOS", "Chrome", "Chromium", "Chromium", "Chrome", "Chrome", "Safari", "Safari", "curl", "curl", "Thunderbird", "Thunderbird")
	system := firstOf(agent, "",
		"Android", "Android", "iPhone", "iPhone", "iPad", "iPad", "Windows", "Windows", "CrOS", "ChromeOS",
		"Mac OS X", "macOS", "Linux", "Linux")
	if system == "" {
		return browser
	}
	return browser + ", " + system
}

// firstOf returns the label of the first mark, of pairs of mark and label, that a
// text holds.
func firstOf(text, none string, pairs ...string) string {
	for i := 0; i+1 < len(pairs); i += 2 {
		if strings.Contains(text, pairs[i]) {
			return pairs[i+1]
		}
	}
	return none
}
